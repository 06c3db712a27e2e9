import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Rollout, RolloutSchema } from "../../src/contract/rollout.ts";
import { type Edge, startEdge } from "../support/edge.ts";

const TOGGLES = 40;

/** Each sets a header of its own on every request of one host. */
const toggles = Array.from(
  { length: TOGGLES },
  (_, index): Rollout =>
    RolloutSchema.parse({
      apiVersion: "serin/v1",
      kind: "Rollout",
      name: `toggle-${index}`,
      match: { hosts: ["many.example"] },
      key: [{ header: "x-user-id" }],
      variants: { stable: { tags: { [`x-serin-t${index}`]: "off" } }, on: { tags: { [`x-serin-t${index}`]: "on" } } },
      strategy: { use: "fast" },
    }),
);

describe("a request never fails by the headers that are set in it", () => {
  let upstream: Server;
  let edge: Edge;
  beforeAll(async () => {
    upstream = createServer({ maxHeaderSize: 128 * 1_024 }, ({ headers }, response) => {
      response.setHeader("x-tags", Object.keys(headers).filter((name) => name.startsWith("x-serin-t")).length);
      response.end();
    });
    upstream.maxHeadersCount = 0;
    upstream.listen(0, "127.0.0.1");
    await once(upstream, "listening");
    const address = `127.0.0.1:${(upstream.address() as AddressInfo).port}`; // it listens on TCP
    edge = await startEdge({ stable: address, canary: address, rollouts: toggles });
  });
  afterAll(async () => {
    await edge.stop();
    upstream.close();
  });

  test.each([
    { title: "few headers gets every tag", own: 5, valueBytes: 1, tags: TOGGLES },
    { title: "so many headers that Envoy takes no more goes on without", own: 75, valueBytes: 1, tags: 0 },
    { title: "such long headers that Envoy takes no more goes on without", own: 10, valueBytes: 6_080, tags: 0 },
  ])("one of $title", async ({ own, valueBytes, tags }) => {
    const more = Array.from({ length: own }, (_, index) => [`x-own-${index}`, "v".repeat(valueBytes)] as const);
    const headers = { host: "many.example", "x-user-id": "ann", ...Object.fromEntries(more) };
    const sent = httpRequest({ port: edge.envoy.port, host: "127.0.0.1", agent: false, headers }).end();
    const [response] = await once(sent, "response");
    response.resume();
    await once(response, "end");
    expect([response.statusCode, response.headers["x-tags"]]).toEqual([200, String(tags)]);
    const left = [...(await edge.metrics())].filter(([series]) => series.includes("no room for tags"));
    expect(left.length).toBe(tags === 0 ? 1 : 0);
  });
});
