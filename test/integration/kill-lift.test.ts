import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startNatsServer } from "../support/nats-server.ts";
import { runWith } from "../unit/cli/cli-parts.ts";

test("a lift says whether there was an order to lift", async () => {
  const nats = await startNatsServer();
  const directory = await mkdtemp(join(tmpdir(), "serin-kill-"));
  onTestFinished(async () => {
    await nats.stop();
    await rm(directory, { recursive: true });
  });
  const key = join(directory, "operator.pem");
  await writeFile(key, generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));
  const kill = async (...more: string[]): Promise<[code: number, said: string]> => {
    // Nobody is there to confirm it: exit 5, and what is known of the order.
    const { code, error } = await runWith(["kill", "checkout", "--sign-with", key, "--nats", nats.url, ...more]);
    return [code, error.split(": ")[1] ?? ""];
  };
  const none = "no such order is in force; a sidecar that kept one lifts it all the same, not confirmed everywhere";
  expect(await kill("--lift")).toEqual([5, none]);
  expect(await kill()).toEqual([5, "the order to switch off is not in force everywhere"]);
  expect(await kill("--lift")).toEqual([5, "the order is lifted, not confirmed everywhere"]);
  expect(await kill("--lift")).toEqual([5, none]);
});
