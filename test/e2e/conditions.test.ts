import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request as httpRequest, type RequestOptions } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseRollouts } from "../../src/io/documents.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { CONDITION_REQUESTS, type ConditionRequest } from "../support/condition-requests.ts";
import { type Edge, startEdge } from "../support/edge.ts";
import { type EdgeUpstream, startHttp1Upstream } from "../support/edge-upstreams.ts";

/** What the example cannot show over loopback: an address, and one that is not. */
const addresses = (network: string, host: string): string => `
apiVersion: serin/v1
kind: Rollout
name: ${host.replace(".", "-")}
match: { hosts: [${host}] }
key: [{ header: x-user-id }]
variants: { stable: { cluster: stable }, canary: { cluster: canary } }
targets: [{ name: near, variant: canary, when: { clientAddress: ["${network}"] } }]
strategy: { use: fast }
`;

const OVER_LOOPBACK: readonly ConditionRequest[] = [
  { title: "an address of the network", request: { host: "near.example", method: "GET", path: "/" }, target: "near" },
  { title: "an address of another network", request: { host: "far.example", method: "GET", path: "/" }, target: "share" },
  ...CONDITION_REQUESTS.filter(({ request }) => request.clientAddress === undefined),
];
const TO_STABLE = ["share", "no rollout", "never-partners"];

describe("through a real Envoy, what a rule says of a request is what its user gets", () => {
  let upstreams: EdgeUpstream[] = [];
  let edge: Edge;
  beforeAll(async () => {
    const example = await readFile(join(packageRoot(), "docs", "examples", "conditions.yaml"), "utf8");
    const text = [example, addresses("127.0.0.0/8", "near.example"), addresses("10.0.0.0/8", "far.example")].join("\n---\n");
    upstreams = await Promise.all([startHttp1Upstream("stable"), startHttp1Upstream("canary")]);
    const [stable, canary] = upstreams.map(({ address }) => address);
    edge = await startEdge({ stable: stable ?? "", canary: canary ?? "", rollouts: parseRollouts(text, "rules.yaml") });
  });
  afterAll(async () => {
    await edge.stop();
    await Promise.all(upstreams.map((upstream) => upstream.stop()));
  });

  async function answeredBy(request: Pick<RequestOptions, "method" | "path" | "headers">): Promise<unknown> {
    const sent = httpRequest({ port: edge.envoy.port, host: "127.0.0.1", agent: false, ...request }).end();
    const [response] = await once(sent, "response");
    response.resume();
    await once(response, "end");
    return response.headers["x-answered-by"];
  }

  test.each(OVER_LOOPBACK)("$title", async ({ request: { host, method, path, headers }, target }) => {
    expect(await answeredBy({ method, path, headers: { ...headers, host } })).toBe(TO_STABLE.includes(target) ? "stable" : "canary");
  });

  test("a value above 4 KiB meets no expression, and is counted", async () => {
    const headers = { host: "shop.example", "x-region": "eu", "x-user-id": "ann", "x-mail": `${"a".repeat(5_000)}@shop.example` };
    expect(await answeredBy({ path: "/orders", headers })).toBe("stable");
    const counted = [...(await edge.metrics())].filter(([series]) => series.includes("too long for a regular expression"));
    expect(counted.map(([, count]) => count)).toEqual([1]);
  });
});
