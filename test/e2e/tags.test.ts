import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseRollouts } from "../../src/io/documents.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { askEcho, serinHeaders } from "../support/echo-client.ts";
import { type EchoUpstream, startEchoUpstream } from "../support/echo-upstream.ts";
import { type Edge, startEdge } from "../support/edge.ts";
import { TAG_REQUESTS } from "../support/tag-requests.ts";

describe("through a real Envoy, the upstream is told what was decided", () => {
  let upstreams: EchoUpstream[] = [];
  let edge: Edge;
  beforeAll(async () => {
    const text = await readFile(join(packageRoot(), "docs", "examples", "tags.yaml"), "utf8");
    upstreams = await Promise.all([startEchoUpstream("stable"), startEchoUpstream("canary")]);
    const [stable = "", canary = ""] = upstreams.map(({ address }) => address);
    edge = await startEdge({ stable, canary, rollouts: parseRollouts(text, "tags.yaml") });
  });
  afterAll(async () => {
    await edge.stop();
    await Promise.all(upstreams.map((upstream) => upstream.stop()));
  });

  test.each(TAG_REQUESTS)("$title", async ({ headers, tags }) => {
    const echo = await askEcho(edge.envoy.port, { headers: { ...headers, host: "search.example" } });
    expect(serinHeaders(echo)).toEqual(tags);
  });

  test("and by nobody else: what clients send under these names is gone", async () => {
    const forged = { "x-serin-target": "forged", "x-serin-variant": "canary", "x-serin-rules": "9.9" };
    const echo = await askEcho(edge.envoy.port, { headers: { ...forged, host: "search.example", "x-user-id": "ann" } });
    expect(serinHeaders(echo)).toEqual({ "x-serin-variant": "stable" });
  });
});
