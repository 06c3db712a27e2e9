import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../src/demo/wait-for.ts";
import { type Edge, startEdge } from "../support/edge.ts";
import { exampleLive, exampleRollouts, RULE_REQUESTS } from "../support/rule-requests.ts";

/** An upstream that tells who it is and which of our headers it got. */
async function startEcho(name: string): Promise<Server> {
  const server = createServer(({ headers }, response) => {
    const ours = Object.entries(headers).filter(([header]) => header.startsWith("x-serin-"));
    response.setHeader("x-answered-by", name);
    response.setHeader("x-got", JSON.stringify(Object.fromEntries(ours)));
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const addressOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP

describe("through a real Envoy, each feature of the rules does what its example says", () => {
  let upstreams: Server[] = [];
  let edge: Edge;
  beforeAll(async () => {
    const [stable, canary] = await Promise.all([startEcho("stable"), startEcho("canary")]);
    upstreams = [stable, canary];
    const rollouts = [...new Set(RULE_REQUESTS.map(({ example }) => example))].flatMap(exampleRollouts);
    edge = await startEdge({ stable: addressOf(stable), canary: addressOf(canary), rollouts, liveOf: exampleLive });
  });
  afterAll(async () => {
    await edge.stop();
    for (const upstream of upstreams) upstream.close();
  });

  test.each(RULE_REQUESTS)("$example, $title", async ({ host, path, headers, answeredBy, tags }) => {
    const sent = httpRequest({ port: edge.envoy.port, host: "127.0.0.1", path, agent: false, headers: { ...headers, host } }).end();
    const [response] = await once(sent, "response");
    response.resume();
    await once(response, "end");
    const { "x-answered-by": answered, "x-got": got } = response.headers;
    expect({ answeredBy: answered, tags: JSON.parse(got) }).toEqual({ answeredBy, tags });
  });

  test("the user of the control slice is counted apart, and nobody else", async () => {
    const decided = [...(await edge.metrics())].filter(
      ([series]) => series.startsWith("serin_decisions_total{") && series.includes('"checkout"'),
    );
    const counted = (control: boolean): number =>
      decided.filter(([series]) => series.includes(`control="${control}"`)).reduce((sum, [, count]) => sum + count, 0);
    expect([counted(true), counted(false)]).toEqual([1, 3]);
  });

  test("each toggle that matched has an outcome of its own beside that of the route", async () => {
    const wanted = RULE_REQUESTS.filter(({ example, tags }) => example === "toggle.yaml" && Object.keys(tags).length > 0).length;
    const outcomes = async (): Promise<number> =>
      [...(await edge.metrics())]
        .filter(([series]) => series.startsWith("serin_outcomes_total{") && series.includes('rollout="new-banner"'))
        .reduce((sum, [, count]) => sum + count, 0);
    await waitFor(async () => (await outcomes()) >= wanted, { deadlineMs: 15_000, what: "the toggle's outcomes" });
    expect(await outcomes()).toBe(wanted);
  });
});
