import { afterEach, beforeEach, expect, test } from "vitest";
import { type Evidence, EvidenceSchema } from "../../../src/contract/evidence.ts";
import { type Receipt, ReceiptSchema } from "../../../src/contract/messages.ts";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { waitFor } from "../../../src/demo/wait-for.ts";
import { connectNats, ensureStreams, type NatsLink, subscribeSafely } from "../../../src/io/nats.ts";
import { encodeBlobs, encodeManifest } from "../../../src/io/rules-store.ts";
import { ruleOf } from "../../support/decide-inputs.ts";
import { type NatsServer, startNatsServer } from "../../support/nats-server.ts";
import { startTestSidecar, type TestSidecar } from "../../support/sidecar.ts";
import { type Cuttable, startCuttable } from "../controller/cuttable.ts";

let nats: NatsServer;
let link: NatsLink;
/** Between the sidecar and NATS. */
let way: Cuttable;
let sidecar: TestSidecar;
let receipts: Receipt[];
let evidence: Evidence[];
let faults: unknown[];

const json = (data: Uint8Array): unknown => JSON.parse(Buffer.from(data).toString("utf8"));
const until = (what: string, condition: () => boolean | Promise<boolean>): Promise<unknown> =>
  waitFor(condition, { deadlineMs: 20_000, what });

beforeEach(async () => {
  [receipts, evidence, faults] = [[], [], []];
  nats = await startNatsServer();
  link = await connectNats({ url: nats.url, name: "test", waitForServer: true });
  await ensureStreams(link);
  const onError = (error: unknown): void => void faults.push(error);
  subscribeSafely(link, SUBJECTS.allReceipts, ({ data }) => receipts.push(ReceiptSchema.parse(json(data))), onError);
  subscribeSafely(link, SUBJECTS.allEvidence, ({ data }) => evidence.push(EvidenceSchema.parse(json(data))), onError);
  await publish(1);
  way = await startCuttable(nats.port);
  sidecar = await startTestSidecar({ source: { nats: `nats://127.0.0.1:${way.port}` } });
  await until("revision 1", () => receipts.some(({ revision }) => revision === 1));
});
afterEach(async () => {
  await sidecar.stop();
  await way.close();
  await link.close();
  await nats.stop();
  // What a sidecar sent and the contract's schemas do not take.
  expect(faults).toEqual([]);
});

async function publish(revision: number): Promise<void> {
  const { rules, live } = ruleOf({}, { shareBp: 2_000, run: 4 });
  const { blobs, contents } = encodeBlobs({ checkout: rules });
  for (const [hash, text] of contents) await link.jetstream.publish(SUBJECTS.blob(hash), text);
  const payload = { format: 1, epoch: 10, revision, term: 1, issuedAtMs: Date.now(), blobs, live: { checkout: live } } as const;
  await link.jetstream.publish(SUBJECTS.manifest, encodeManifest(payload));
}

const ended = (variant: string, code: number, attempts = 1): object => ({
  commonProperties: {
    duration: { nanos: 30_000_000 },
    timeToFirstUpstreamTxByte: { nanos: 2_000_000 },
    timeToLastUpstreamRxByte: { nanos: 8_000_000 },
    upstreamCluster: attempts > 1 ? "stable" : variant,
    upstreamRemoteAddress: { socketAddress: { address: "127.0.0.1", portValue: 1 } },
    upstreamRequestAttemptCount: attempts,
    metadata: {
      filterMetadata: {
        serin: { fields: { variant: { stringValue: variant }, rollout: { stringValue: "checkout" }, run: { stringValue: "4" } } },
      },
    },
  },
  response: { responseCode: { value: code } },
});

/** Cumulative counts of a message by name, variant and class. */
function countsIn(message: Evidence | undefined): Record<string, number> {
  const metrics = (message?.resourceMetrics ?? []).flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  const label = (attributes: Evidence["resourceMetrics"][number]["resource"]["attributes"], name: string): string =>
    attributes.find(({ key }) => key === name)?.value.stringValue ?? "";
  return Object.fromEntries(
    metrics.flatMap(({ name, sum, histogram }) => [
      ...(sum?.dataPoints ?? []).map(({ attributes, asInt, asDouble }) => [
        `${name} ${label(attributes, "variant")} ${label(attributes, "class")}`,
        Number(asInt ?? asDouble),
      ]),
      ...(histogram?.dataPoints ?? []).map(({ attributes, count }) => [`${name} ${label(attributes, "variant")}`, Number(count)]),
    ]),
  );
}

const FAILED = "serin_outcomes_total canary failed";

test("failures of a live canary reach NATS with what the judge needs: classes, latency and halves of stable, the rescued one without its time", async () => {
  await sidecar.log(ended("canary", 200), ended("canary", 503), ended("canary", 200, 2), ended("stable", 200));
  await until("the failures", () => evidence.some((message) => countsIn(message)[FAILED] === 2));
  expect(countsIn(evidence.find((message) => countsIn(message)[FAILED] === 2))).toEqual({
    "serin_outcomes_total canary ok": 1,
    [FAILED]: 2,
    "serin_outcomes_total stable ok": 1,
    "serin_requests_settled_total canary ": 3,
    "serin_requests_settled_total stable ": 1,
    "serin_outcome_duration_seconds canary": 2,
    "serin_outcome_duration_seconds stable": 1,
    // The only host is of the half.
    "serin_half_outcomes_total stable ok": 1,
    "serin_half_outcome_duration_seconds stable": 1,
  });
});

test("after a connection that was lost, rules missed are found, the receipt comes at once, and evidence is told in full", async () => {
  await sidecar.log(ended("stable", 200));
  await until("evidence of stable", () => evidence.some((message) => countsIn(message)["serin_outcomes_total stable ok"] === 1));
  way.cut();
  await sidecar.log(ended("canary", 503));
  await publish(2);
  [receipts, evidence] = [[], []];
  way.mend();
  await until("a receipt of revision 2", () => receipts.some(({ revision }) => revision === 2));
  await until("all evidence", () => evidence.some((message) => countsIn(message)[FAILED] === 1));
  expect(countsIn(evidence.find((message) => countsIn(message)[FAILED] === 1))).toMatchObject({ "serin_outcomes_total stable ok": 1 });
});

test("outcomes that end while it drains are told before the goodbye", async () => {
  evidence = [];
  const stopping = sidecar.log(ended("stable", 200)).then(() => sidecar.beginStop());
  await stopping;
  await until("a goodbye", () => receipts.at(-1)?.state === "goodbye");
  expect(evidence.some((message) => countsIn(message)["serin_outcomes_total stable ok"] === 1)).toBe(true);
});
