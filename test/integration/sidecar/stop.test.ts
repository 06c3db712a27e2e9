import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { waitFor } from "../../../src/demo/wait-for.ts";
import { connectNats, ensureStreams } from "../../../src/io/nats.ts";
import { encodeBlobs, encodeManifest } from "../../../src/io/rules-store.ts";
import { ruleOf } from "../../support/decide-inputs.ts";
import { type NatsServer, startNatsServer } from "../../support/nats-server.ts";
import { decidedFor, requestHeaders, startTestSidecar, type TestSidecar, waitForVariant } from "../../support/sidecar.ts";

let nats: NatsServer;
let stateDir: string;
beforeEach(async () => {
  nats = await startNatsServer();
  stateDir = await mkdtemp(join(tmpdir(), "serin-state-"));
});
afterEach(async () => {
  await nats.stop();
  await rm(stateDir, { recursive: true, force: true });
});

const start = (more: object = {}): Promise<TestSidecar> => startTestSidecar({ source: { nats: nats.url }, stateDir, ...more });

async function publish(): Promise<void> {
  const link = await connectNats({ url: nats.url, name: "test", waitForServer: true });
  await ensureStreams(link);
  const { rules, live } = ruleOf({}, { shareBp: 10_000 });
  const { blobs, contents } = encodeBlobs({ checkout: rules });
  for (const [hash, text] of contents) await link.jetstream.publish(SUBJECTS.blob(hash), text);
  const payload = { format: 1, epoch: 10, revision: 1, term: 1, issuedAtMs: 1, blobs, live: { checkout: live } } as const;
  await link.jetstream.publish(SUBJECTS.manifest, encodeManifest(payload));
  await link.close();
}

/** Sockets, timers and watchers that would keep the process alive. */
const handles = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((name) => !/^(PipeWrap|ProcessWrap|TTYWrap|Immediate)$/.test(name))
    .toSorted();

/** The stop must come to its end; the test's own limit of time says when it does not. */
async function isAllGone(before: readonly string[], stopping: Promise<void>): Promise<boolean> {
  await stopping;
  return waitFor(() => handles().length <= before.length, {
    deadlineMs: 20_000,
    what: `handles to go; before ${before.join(" ")}, now ${handles().join(" ")}`,
  });
}

describe("a stop comes to its end and leaves nothing open", () => {
  test("while all is well", async () => {
    await publish();
    const before = handles();
    const sidecar = await start();
    await waitForVariant(sidecar, "u1", "canary");
    expect(await isAllGone(before, sidecar.stop())).toBe(true);
  });

  test("while NATS has never answered", async () => {
    await nats.kill();
    const before = handles();
    const sidecar = await start();
    expect(await decidedFor(sidecar, "u1")).toBe("stable");
    expect(await isAllGone(before, sidecar.stop())).toBe(true);
  });

  test("while NATS is gone", async () => {
    await publish();
    const before = handles();
    const sidecar = await start();
    await waitForVariant(sidecar, "u1", "canary");
    await nats.kill();
    expect(await isAllGone(before, sidecar.stop())).toBe(true);
  });

  test("while NATS is frozen", async () => {
    await publish();
    const before = handles();
    const sidecar = await start();
    await waitForVariant(sidecar, "u1", "canary");
    nats.freeze();
    expect(await isAllGone(before, sidecar.stop())).toBe(true);
  });

  test("while Envoy holds its streams open", async () => {
    const sidecar = await start();
    const held = sidecar.hold();
    await held.begun;
    await sidecar.beginStop();
    await held.ended;
    await sidecar.stop();
    await expect(fetch(`${sidecar.metricsUrl}/healthz`)).rejects.toThrow("fetch failed");
  });

  test("asked for twice, both wait for the same", async () => {
    const sidecar = await start();
    await Promise.all([sidecar.beginStop(), sidecar.beginStop()]);
    await sidecar.stop();
    await expect(fetch(`${sidecar.metricsUrl}/healthz`)).rejects.toThrow("fetch failed");
  });

  test("when the start fails half way", async () => {
    const first = await start();
    const before = handles();
    const { host } = new URL(first.metricsUrl ?? "");
    await expect(start({ id: "s2", metrics: host })).rejects.toThrow(`metrics address ${host} is in use; give another by --metrics`);
    await expect(start({ id: "s2", extProc: `unix:${join(first.directory, "s.sock")}` })).rejects.toThrow("another process listens on");
    await expect(start({ id: "s2", als: `unix:${join(first.directory, "s.sock")}` })).rejects.toThrow("another process listens on");
    const nowhere = join(first.directory, "none");
    await expect(start({ id: "s2", extProc: `unix:${nowhere}/s.sock` })).rejects.toThrow(
      `ext_proc address unix:${nowhere}/s.sock is in a folder that is not there; make ${nowhere}`,
    );
    expect(await isAllGone(before, Promise.resolve())).toBe(true);
    await first.stop();
  });
});

test("two sidecars live in one process, each with its own counts", async () => {
  await publish();
  const [one, other] = await Promise.all([
    start({ id: "one", stateDir: join(stateDir, "1") }),
    start({ id: "other", stateDir: join(stateDir, "2") }),
  ]);
  await Promise.all(
    [one, other].map((sidecar) =>
      waitFor(async () => (await sidecar.ready()).body["revision"] === 1, { deadlineMs: 10_000, what: "rules" }),
    ),
  );
  await one.process(requestHeaders({ "x-user-id": "u1" }));
  expect(await one.metrics()).toContain('serin_decisions_total{rollout="checkout",variant="canary"');
  expect(await other.metrics()).not.toContain('serin_decisions_total{rollout="checkout"');
  await one.stop();
  expect(await decidedFor(other, "u1")).toBe("canary");
  await other.stop();
});
