import { mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../../../src/contract/errors.ts";
import { bindGrpcServer } from "../../../src/sidecar/grpc-server.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "serin-sock-"));
});
afterEach(() => rm(directory, { recursive: true }));

const bind = (address: string) => bindGrpcServer(new Map(), address, { surprise: () => undefined, streamReset: () => undefined });

describe("a Unix socket", () => {
  test("that a killed process left behind is taken over", async () => {
    const path = join(directory, "s.sock");
    const left = createServer();
    await new Promise<void>((resolve) => {
      left.listen({ path, exclusive: true }, resolve);
    });
    // The file outlives the listener when its name was taken from it.
    const keep = join(directory, "kept.sock");
    await rename(path, keep);
    await new Promise((resolve) => {
      left.close(resolve);
    });
    expect((await stat(keep)).isSocket()).toBe(true);
    const bound = await bind(`unix:${keep}`);
    expect(bound.port).toBeUndefined();
    await bound.stop(100);
  });

  test("on which another listens is refused and stays", async () => {
    const path = join(directory, "s.sock");
    const first = await bind(`unix:${path}`);
    await expect(bind(`unix:${path}`)).rejects.toThrow(
      new UsageError(`another process listens on ${path}; give each sidecar a socket of its own`),
    );
    expect((await stat(path)).isSocket()).toBe(true);
    await first.stop(100);
  });

  test("is never put in the place of a file that is none", async () => {
    const path = join(directory, "important.txt");
    await writeFile(path, "keep me");
    await expect(bind(`unix:${path}`)).rejects.toThrow(`${path} is there and is no socket; name another path`);
    expect((await stat(path)).size).toBe(7);
  });

  test("in a directory that does not exist is the user's error", async () => {
    await expect(bind(`unix:${directory}/none/s.sock`)).rejects.toThrow(UsageError);
  });
});

test("a port that is taken is the user's error, and names the address", async () => {
  const first = await bind("127.0.0.1:0");
  await expect(bind(`127.0.0.1:${first.port}`)).rejects.toThrow(`cannot listen on 127.0.0.1:${first.port}: `);
  await first.stop(100);
});
