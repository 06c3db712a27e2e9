import { expect, test } from "vitest";
import { countedBy, openOf, startEdgeForTest } from "../support/edge.ts";
import { FAILED_OPEN_STAT, LOGS_STAT } from "../support/envoy.ts";
import { sendRawLoad, startRawUpstream } from "../support/raw-load.ts";

const REQUESTS = 100_000;

/** Of 20 requests one fails on stable, one on the canary, and one on the canary by a safe method, which stable rescues. */
const KINDS: readonly string[] = ["POST /fail/stable", "POST /fail/canary", "GET /fail/canary"];

const head = (index: number): string => {
  const kind = KINDS[index % 20] ?? "GET /ok";
  return `${kind} HTTP/1.1\r\nhost: shop.example\r\nx-user-id: user-${index % 9_973}${kind.startsWith("POST") ? "\r\ncontent-length: 0" : ""}`;
};

test("over 100,000 requests the sidecar's counts are Envoy's own, to the last one", { timeout: 240_000 }, async () => {
  const [stable, canary] = await Promise.all([startRawUpstream("stable"), startRawUpstream("canary")]);
  const { envoy, ...edge } = await startEdgeForTest({ stable: stable.address, canary: canary.address, shareBp: 5_000 });
  const before = await envoy.stats();
  let statuses: ReadonlyMap<number, number> = new Map();
  const counted = await countedBy({ ...edge, envoy }, REQUESTS, async () => {
    statuses = await sendRawLoad({ port: envoy.port, connections: 16, requests: REQUESTS, head });
  });
  const after = await envoy.stats();
  // One that failed open may have been decided, too late for Envoy.
  expect(await openOf(edge)).toBeLessThanOrEqual(counted["failed open"] ?? 0);
  const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  /** The request with which a count begins, and the one with which it ends. */
  const markers = 2;

  expect(await envoy.stat(`${LOGS_STAT}.logs_dropped`)).toBe(0);
  expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(REQUESTS);
  const {
    "canary ok": canaryOk = 0,
    "canary failed": canaryFailed = 0,
    "stable ok": stableOk = 0,
    "stable failed": stableFailed = 0,
  } = counted;
  const failedOpen = counted["failed open"] ?? 0;
  expect(failedOpen).toBe(grown(FAILED_OPEN_STAT));
  expect(canaryOk + canaryFailed + stableOk + stableFailed + failedOpen).toBe(REQUESTS);

  // On the canary every try is a first one. Answers that were tried again stand apart in Envoy's statistics, and the second
  // tries are counted for the cluster that they went to.
  const rescued = grown("cluster.canary-or-nobody.retry.upstream_rq_5xx");
  expect(grown("cluster.stable.upstream_rq_retry")).toBe(rescued);
  expect(canaryOk + canaryFailed).toBe(grown("cluster.canary.upstream_rq_total"));
  expect(canaryOk).toBe(grown("cluster.canary-or-nobody.upstream_rq_2xx"));
  expect(canaryFailed).toBe(grown("cluster.canary-or-nobody.upstream_rq_5xx") + rescued);
  expect(canaryFailed - rescued).toBe(
    // Stable's own are those of its first tries, and of what failed open: a second try never fails here.
    [...statuses].filter(([status]) => status === 503).reduce((sum, [, count]) => sum + count, 0) - grown("cluster.stable.upstream_rq_5xx"),
  );

  // On stable the rescues of the canary's requests are second tries, and what failed open is nobody's.
  expect(stableOk + stableFailed + failedOpen).toBe(grown("cluster.stable.upstream_rq_total") - rescued - markers);
  expect(stableFailed).toBeLessThanOrEqual(grown("cluster.stable.upstream_rq_5xx"));
  expect(grown("cluster.stable.upstream_rq_5xx") - stableFailed).toBeLessThanOrEqual(failedOpen);
  expect([canaryFailed, stableFailed, rescued].every((count) => count > 1_000)).toBe(true);
  await Promise.all([stable.stop(), canary.stop()]);
});
