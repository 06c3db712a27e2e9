import { createHash } from "node:crypto";
import { mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EvidenceSchema } from "../../../src/contract/evidence.ts";
import { type Receipt, ReceiptSchema } from "../../../src/contract/messages.ts";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { waitFor } from "../../../src/demo/wait-for.ts";
import { connectNats, ensureStreams, type NatsLink, subscribeSafely } from "../../../src/io/nats.ts";
import { encodeBlobs, encodeManifest } from "../../../src/io/rules-store.ts";
import { ruleOf } from "../../support/decide-inputs.ts";
import { type NatsServer, startNatsServer } from "../../support/nats-server.ts";
import { keepOnDisk } from "../../support/rules-on-disk.ts";
import { decidedFor, requestHeaders, startTestSidecar, type TestSidecar, waitForVariant } from "../../support/sidecar.ts";

let nats: NatsServer;
let link: NatsLink;
let stateDir: string;
let sidecar: TestSidecar | undefined;
const receipts: Receipt[] = [];
const evidence: unknown[] = [];

const json = (data: Uint8Array): unknown => JSON.parse(Buffer.from(data).toString("utf8"));

beforeEach(async () => {
  receipts.length = 0;
  evidence.length = 0;
  nats = await startNatsServer();
  link = await connectNats({ url: nats.url, name: "test", waitForServer: true });
  await ensureStreams(link);
  const onError = (error: unknown): void => void receipts.push(error as never); // a message that does not parse fails the expectations
  subscribeSafely(link, SUBJECTS.allReceipts, ({ data }) => receipts.push(ReceiptSchema.parse(json(data))), onError);
  subscribeSafely(link, SUBJECTS.allEvidence, ({ data }) => evidence.push(EvidenceSchema.parse(json(data))), onError);
  await link.connection.flush();
  stateDir = await mkdtemp(join(tmpdir(), "serin-state-"));
});
afterEach(async () => {
  await sidecar?.stop();
  sidecar = undefined;
  await link.close();
  await nats.stop();
  await rm(stateDir, { recursive: true, force: true });
});

const start = async (more: object = {}): Promise<TestSidecar> => {
  sidecar = await startTestSidecar({ source: { nats: nats.url }, stateDir, ...more });
  return sidecar;
};

async function publish(revision: number, shareBp: number, epoch = 10): Promise<void> {
  const { rules, live } = ruleOf({}, { shareBp, run: revision });
  const { blobs, contents } = encodeBlobs({ checkout: rules });
  for (const [hash, text] of contents) await link.jetstream.publish(SUBJECTS.blob(hash), text);
  const payload = { format: 1, epoch, revision, term: 1, issuedAtMs: Date.now(), blobs, live: { checkout: live } } as const;
  await link.jetstream.publish(SUBJECTS.manifest, encodeManifest(payload));
}

const beat = (count: number): Promise<unknown> =>
  link.jetstream.publish(SUBJECTS.lease, JSON.stringify({ format: 1, holder: "c", term: 1, beat: count, renewedAtMs: Date.now() }));

const until = (what: string, condition: () => boolean | Promise<boolean>): Promise<unknown> =>
  waitFor(condition, { deadlineMs: 15_000, what });

test("rules come by push; each revision is confirmed by a receipt, and an older one changes nothing", async () => {
  const s = await start();
  expect(await decidedFor(s, "u1")).toBe("stable");
  await publish(5, 10_000);
  await until("a receipt of revision 5", () => receipts.some(({ revision, sidecar: id }) => revision === 5 && id === "s1"));
  expect(await decidedFor(s, "u1")).toBe("canary");
  await publish(4, 0);
  await publish(3, 0, 9);
  await publish(6, 10_000);
  await until("a receipt of revision 6", () => receipts.some(({ revision }) => revision === 6));
  expect(receipts.map(({ revision }) => revision).filter((revision) => revision === 3 || revision === 4)).toEqual([]);
});

test("a corrupt manifest leaves the last good rules; the receipt counts it and says what is wrong", async () => {
  const s = await start();
  await publish(1, 10_000);
  await waitForVariant(s, "u1", "canary");
  await link.jetstream.publish(SUBJECTS.manifest, "corrupt");
  await until("a receipt that tells", () => receipts.some(({ problem }) => problem === "the manifest is not JSON"));
  const missing = createHash("sha256").update("x").digest("hex");
  const payload = { format: 1, epoch: 10, revision: 2, term: 1, issuedAtMs: 1, blobs: { "0": missing }, live: {} } as const;
  await link.jetstream.publish(SUBJECTS.manifest, encodeManifest(payload));
  await until("a receipt that tells", () =>
    receipts.some(({ problem, rejected }) => rejected === 2 && problem === `blob ${missing} is not in the store`),
  );
  expect(await decidedFor(s, "u1")).toBe("canary");
  await publish(3, 0);
  await waitForVariant(s, "u1", "stable");
  await until("a receipt without a problem", () => receipts.at(-1)?.problem === undefined && receipts.at(-1)?.revision === 3);
});

test("with NATS away at start it serves stable, and connects by itself later", async () => {
  await publish(1, 10_000);
  await nats.kill();
  const s = await start();
  expect(await s.ready()).toMatchObject({ status: 200, body: { revision: 0 } });
  expect(await decidedFor(s, "u1")).toBe("stable");
  await nats.restart();
  await waitForVariant(s, "u1", "canary");
});

test("with NATS away at start it serves the rules that it kept on disk", async () => {
  const first = await start();
  await publish(1, 10_000);
  await waitForVariant(first, "u1", "canary");
  await until("the rules on disk", async () => (await stat(join(stateDir, "rules.json"))).size > 0);
  await first.stop();
  await nats.kill();
  const second = await start();
  expect(await decidedFor(second, "u1")).toBe("canary");
  expect(await second.ready()).toMatchObject({ status: 200, body: { revision: 1 } });
});

test("rules on disk that nobody watched for long: not ready until NATS tells, and then no user was moved", async () => {
  await keepOnDisk(stateDir, { format: 1, epoch: 10, revision: 1, rollouts: { checkout: ruleOf({}, { shareBp: 10_000 }) } });
  await utimes(join(stateDir, "rules.json"), new Date(), new Date(Date.now() - 36_000));
  await publish(2, 10_000);
  await beat(1);
  nats.freeze();
  const s = await start();
  expect(s.readiness()).toMatchObject({ isReady: false });
  nats.resume();
  await until("the sidecar to be ready", async () => (await s.ready()).status === 200);
  expect([await decidedFor(s, "u1"), (await s.ready()).body]).toMatchObject(["canary", { revision: 2, state: "ok" }]);
});

test("a canary that was rolled back while the sidecar was away is never served from old rules on disk", async () => {
  await keepOnDisk(stateDir, { format: 1, epoch: 10, revision: 1, rollouts: { checkout: ruleOf({}, { shareBp: 10_000 }) } });
  await utimes(join(stateDir, "rules.json"), new Date(), new Date(Date.now() - 36_000));
  await publish(2, 0);
  await beat(1);
  const s = await start();
  const seen = new Set<string | undefined>();
  await until("the sidecar to be ready", async () => {
    seen.add(await decidedFor(s, "u1"));
    return (await s.ready()).status === 200;
  });
  seen.add(await decidedFor(s, "u1"));
  expect([...seen]).toEqual(["stable"]);
});

test("old rules on disk and NATS away: ready when the grace is over, with the shares at home", async () => {
  await keepOnDisk(stateDir, { format: 1, epoch: 10, revision: 1, rollouts: { checkout: ruleOf({}, { shareBp: 10_000 }) } });
  await utimes(join(stateDir, "rules.json"), new Date(), new Date(Date.now() - 36_000));
  await nats.kill();
  const begunMs = performance.now();
  const s = await start();
  await until("the sidecar to be ready", async () => (await s.ready()).status === 200);
  expect(performance.now() - begunMs).toBeGreaterThan(2_900);
  expect([await decidedFor(s, "u1"), (await s.ready()).body]).toMatchObject(["stable", { revision: 1, state: "unwatched" }]);
});

test("rules on disk that cannot be read mean stable for all, not a sidecar that does not start", async () => {
  await writeFile(join(stateDir, "rules.json"), "{");
  const s = await start();
  expect(await decidedFor(s, "u1")).toBe("stable");
  expect((await s.ready()).status).toBe(200);
});

test("without a beat it says stale, then sends shares home, and takes them back with the next beat", async () => {
  let beats = 0;
  const watched = (s: TestSidecar) =>
    until("u1 to get the canary of who watches", async () => {
      beats += 1;
      await beat(beats);
      return (await decidedFor(s, "u1")) === "canary";
    });
  const s = await start({ staleAfterMs: 400, unwatchedAfterMs: 3_000 });
  await publish(1, 10_000);
  await watched(s);
  await until("the state stale", () => receipts.some(({ state }) => state === "stale"));
  expect((await s.ready()).status).toBe(200);
  await waitForVariant(s, "u1", "stable");
  await until("the state unwatched", () => receipts.some(({ state }) => state === "unwatched"));
  const before = receipts.length;
  await watched(s);
  await until("the state ok", () => receipts.slice(before).some(({ state }) => state === "ok"));
});

test("evidence is cumulative, holds what changed, and is told again in full to a new leader", async () => {
  await beat(1);
  const s = await start();
  await publish(1, 5_000);
  await until("the rules", async () => (await s.ready()).body["revision"] === 1);
  await s.process(requestHeaders({ "x-user-id": "u1" }));
  await until("evidence", () => decisionsIn(evidence.at(-1)) === 1);
  await s.process(requestHeaders({ "x-user-id": "u1" }));
  await until("more evidence", () => decisionsIn(evidence.at(-1)) === 2);
  const before = evidence.length;
  await link.jetstream.publish(SUBJECTS.lease, JSON.stringify({ format: 1, holder: "d", term: 2, beat: 1, renewedAtMs: Date.now() }));
  const decisions = (): number | undefined =>
    evidence
      .slice(before)
      .map(decisionsIn)
      .find((count) => count > 0);
  await until("evidence for the new leader", () => decisions() !== undefined);
  expect(decisions()).toBe(2);
});

test("a sidecar that stops says goodbye", async () => {
  const s = await start();
  await until("a first receipt", () => receipts.length > 0);
  await s.beginStop();
  await until("a goodbye", () => receipts.at(-1)?.state === "goodbye");
  expect(receipts.filter(({ state }) => state === "goodbye")).toHaveLength(1);
});

/** The sum of the decisions that a message of evidence holds. */
function decisionsIn(message: unknown): number {
  const parsed = EvidenceSchema.safeParse(message);
  if (!parsed.success) return 0;
  const metrics = parsed.data.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  const points = metrics.filter(({ name }) => name === "serin_decisions_total").flatMap(({ sum }) => sum?.dataPoints ?? []);
  return points.reduce((all, { asInt, asDouble }) => all + Number(asInt ?? asDouble ?? 0), 0);
}
