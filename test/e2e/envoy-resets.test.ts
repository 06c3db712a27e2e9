import { expect, test } from "vitest";
import { METRICS } from "../../src/contract/names.ts";
import { startEdgeForTest } from "../support/edge.ts";
import { withMessageTimeout, withResets } from "../support/edge-config.ts";
import { FAILED_OPEN_STAT } from "../support/envoy.ts";
import { sendRawLoad, startRawUpstream } from "../support/raw-load.ts";

/** Node's own HTTP/2 drops a connection at the thousandth. */
const REQUESTS = 5_000;

test("an Envoy that resets every stream keeps its connection: each request is decided, resets are counted and spoken of", async () => {
  const [stable, canary] = await Promise.all([startRawUpstream("stable"), startRawUpstream("canary")]);
  const change = (shipped: string): string => withMessageTimeout("10s")(withResets(shipped));
  const edge = await startEdgeForTest({ stable: stable.address, canary: canary.address, shareBp: 5_000, change, timeouts: "shipped" });
  const head = (index: number): string => `GET /ok HTTP/1.1\r\nhost: shop.example\r\nx-user-id: user-${index}`;
  const connections = await edge.envoy.stat("cluster.serin.upstream_cx_total");
  expect(await sendRawLoad({ port: edge.envoy.port, connections: 16, requests: REQUESTS, head })).toEqual(new Map([[200, REQUESTS]]));

  expect(await edge.envoy.stat(FAILED_OPEN_STAT)).toBe(0);
  // One more at most, for the first decisions: health checks had the only one.
  expect(await edge.envoy.stat("cluster.serin.upstream_cx_total")).toBeLessThanOrEqual(connections + 1);
  const counted = await edge.metrics();
  expect(counted.get(METRICS.streams)).toBe(REQUESTS);
  expect(counted.get(METRICS.streamResets)).toBeGreaterThan(REQUESTS * 0.9);
  expect(edge.sidecar(0).output()).toContain("ext_proc_graceful_grpc_close");
  await Promise.all([stable.stop(), canary.stop()]);
});
