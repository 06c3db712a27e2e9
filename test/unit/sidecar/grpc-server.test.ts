import { once } from "node:events";
import { mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { UsageError } from "../../../src/contract/errors.ts";
import { bindGrpcServer } from "../../../src/sidecar/grpc-server.ts";
import { FRAME, frame, PREFACE, settings } from "../../../src/sidecar/h2/frames.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "serin-sock-"));
});
afterEach(() => rm(directory, { recursive: true }));

const lastStreams = (): void => undefined;
const placeOf = (address: string) => ({ address, what: "ext_proc", flag: "--ext-proc" });
const bind = (address: string) => bindGrpcServer(new Map(), placeOf(address), { surprise: () => undefined, lastStreams });

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
      new UsageError(`another process listens on ${path}; give each sidecar a socket of its own by --ext-proc`),
    );
    expect((await stat(path)).isSocket()).toBe(true);
    await first.stop(100);
  });

  test("is never put in the place of a file that is none", async () => {
    const path = join(directory, "important.txt");
    await writeFile(path, "keep me");
    await expect(bind(`unix:${path}`)).rejects.toThrow(`${path} is there and is no socket; give another path by --ext-proc`);
    expect((await stat(path)).size).toBe(7);
  });

  test("in a directory that does not exist is the user's error", async () => {
    await expect(bind(`unix:${directory}/none/s.sock`)).rejects.toThrow(UsageError);
  });
});

/** Speaks HTTP/2 by single frames, and reads nothing. */
async function deafClient(path: string, ...frames: Buffer[]): Promise<Socket> {
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  socket.pause();
  // The server ends the connection while much is unread.
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(Buffer.concat([PREFACE, settings([]), ...frames]));
  return socket;
}

/** More answers than the system takes for a client that does not read them, and fewer than make the server stop reading. */
const PINGS = Array.from({ length: 40_000 }, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)));

describe("a stop comes to its end in time", () => {
  test("after a fault of a client that does not read what is said to it", async () => {
    const path = join(directory, "s.sock");
    const said: unknown[] = [];
    const bound = await bindGrpcServer(new Map(), placeOf(`unix:${path}`), { surprise: (_kind, error) => said.push(error), lastStreams });
    await deafClient(path, ...PINGS, frame(FRAME.data, 0, 0));
    await expect.poll(() => said.length).toBe(1);
    await expect(bound.stop(100)).resolves.toBeUndefined();
  });

  test("with a client that does not read and has done nothing wrong", async () => {
    const path = join(directory, "s.sock");
    const bound = await bind(`unix:${path}`);
    await deafClient(path, ...PINGS);
    await expect(bound.stop(100)).resolves.toBeUndefined();
  });
});

test("a port that is taken is the user's error, and names the address", async () => {
  const first = await bind("127.0.0.1:0");
  await expect(bind(`127.0.0.1:${first.port}`)).rejects.toThrow(
    new UsageError(`ext_proc address 127.0.0.1:${first.port} is in use; give another by --ext-proc`),
  );
  await first.stop(100);
});
