import { expect, test } from "vitest";
import { waitFor } from "../../src/demo/wait-for.ts";
import { countedBy, type Edge, startEdgeForTest } from "../support/edge.ts";
import { LOGS_STAT } from "../support/envoy.ts";
import { sendRawLoad, startRawUpstream } from "../support/raw-load.ts";

const REQUESTS = 4_000;

async function startWith(sidecars: number): Promise<{ readonly edge: Edge; load(): Promise<unknown> }> {
  const [stable, canary] = await Promise.all([startRawUpstream("stable"), startRawUpstream("canary")]);
  const edge = await startEdgeForTest({ stable: stable.address, canary: canary.address, shareBp: 5_000, sidecars, timeouts: "shipped" });
  await edge.waitForHealthy(sidecars);
  const head = (index: number): string => `GET /ok HTTP/1.1\r\nhost: shop.example\r\nx-user-id: user-${index}`;
  return { edge, load: () => sendRawLoad({ port: edge.envoy.port, connections: 16, requests: REQUESTS, head }) };
}

const ended = ({ envoy }: Edge): Promise<number> => envoy.stat("http.ingress.downstream_rq_completed");
const dropped = ({ envoy }: Edge): Promise<number> => envoy.stat(`${LOGS_STAT}.logs_dropped`);

/** Entries in Envoy's memory: no sidecar has said yet that it took them. */
const waiting = async (edge: Edge): Promise<number> =>
  (await ended(edge)) - (await dropped(edge)) - (await edge.envoy.stat(`${LOGS_STAT}.logs_written`));

const endsIn = (counted: Readonly<Record<string, number>>): number =>
  Object.entries(counted).reduce((sum, [name, value]) => (name.endsWith(" timed") ? sum : sum + value), 0);

test("a frozen sidecar: what waits for it in Envoy stops growing with its health, and is counted when it goes on", {
  timeout: 120_000,
}, async () => {
  const { edge, load } = await startWith(2);
  const counted = await countedBy(edge, REQUESTS * 2, async () => {
    const before = await ended(edge);
    edge.sidecar(0).freeze();
    await Promise.all([load(), edge.waitForHealthy(1)]);
    const atMost = (await ended(edge)) - before;
    await load();
    await waitFor(async () => (await waiting(edge)) <= atMost, { deadlineMs: 10_000, what: "the other sidecar to take the rest" });
    edge.sidecar(0).resume();
    await edge.waitForHealthy(2);
  });
  expect(endsIn(counted)).toBe(REQUESTS * 2);
  expect(await dropped(edge)).toBe(0);
});

test("the only sidecar, killed while frozen: Envoy counts as dropped whatever nobody took, to the last entry", {
  timeout: 120_000,
}, async () => {
  const { edge, load } = await startWith(1);
  edge.sidecar(0).freeze();
  await Promise.all([load(), edge.waitForHealthy(0)]);
  await edge.sidecar(0).kill();
  await waitFor(async () => (await waiting(edge)) === 0, { deadlineMs: 10_000, what: "Envoy to have given up what waited" });
  expect(await dropped(edge)).toBe(REQUESTS);
});

test("one of two is killed under load: Envoy accounts for each entry, and the other takes what it cannot", {
  timeout: 120_000,
}, async () => {
  const { edge, load } = await startWith(2);
  const before = await ended(edge);
  const loaded = load();
  await waitFor(async () => (await ended(edge)) - before > REQUESTS / 4, { deadlineMs: 30_000, what: "some of the load" });
  await edge.sidecar(0).kill();
  await loaded;
  await waitFor(async () => (await waiting(edge)) === 0, { deadlineMs: 10_000, what: "Envoy to have told everything" });
  expect(await edge.envoy.stat(`${LOGS_STAT}.logs_written`)).toBeGreaterThan(REQUESTS / 2);
  expect((await ended(edge)) - before).toBe(REQUESTS);
});
