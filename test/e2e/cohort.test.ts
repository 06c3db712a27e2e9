import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Rollout } from "../../src/contract/rollout.ts";
import { parseRollouts } from "../../src/io/documents.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { issueCertificates } from "../support/certificates.ts";
import { askEcho, serinHeaders } from "../support/echo-client.ts";
import { type Echo, type EchoUpstream, startEchoUpstream } from "../support/echo-upstream.ts";
import { type Edge, startEdge } from "../support/edge.ts";
import { asInnerHop, withMutualTls } from "../support/edge-config.ts";
import { users } from "../support/stack.ts";

const exampleOf = (name: string): Promise<string> => readFile(join(packageRoot(), "docs", "examples", name), "utf8");

/** The inner example for the host that users ask for, since no service between the two asks for another; it says why it decided. */
async function innerRollouts(): Promise<readonly Rollout[]> {
  const why = 'tags: { x-serin-why: "{rollout} {reason}" }';
  const prices = (await exampleOf("cohort-inner.yaml"))
    .replace("prices.example", "shop.example")
    .replaceAll(/cluster: (\w+)/g, `cluster: $1, ${why}`);
  const stock = prices.replace("name: prices", "name: stock").replace("[shop.example]", "[stock.example]").replace("canary:", "blue:");
  return parseRollouts(`${prices}\n---\n${stock}`, "inner.yaml");
}

const edgeRollouts = async (): Promise<readonly Rollout[]> =>
  parseRollouts((await exampleOf("cohort-edge.yaml")).replace("[shop.example]", "[shop.example, stock.example]"), "edge.yaml");

/** Why the inner hop decided as it did. */
const whyOf = (echo: Echo): unknown => serinHeaders(echo)["x-serin-why"];

describe("with two hops, each a real Envoy with a sidecar", () => {
  let upstreams: EchoUpstream[] = [];
  let edge: Edge;
  let inner: Edge;
  beforeAll(async () => {
    upstreams = await Promise.all([startEchoUpstream("stable"), startEchoUpstream("canary")]);
    const [stable = "", canary = ""] = upstreams.map(({ address }) => address);
    const trust = ["--trust-peer", "127.0.0.1/32"];
    inner = await startEdge({
      stable,
      canary,
      change: asInnerHop,
      sidecarArgs: trust,
      rollouts: await innerRollouts(),
      shares: { stock: 10_000 },
    });
    const address = `127.0.0.1:${inner.envoy.port}`;
    edge = await startEdge({ stable: address, canary: address, rollouts: await edgeRollouts(), shares: { shop: 5_000 } });
  });
  afterAll(async () => {
    await edge.stop();
    await inner.stop();
    await Promise.all(upstreams.map((upstream) => upstream.stop()));
  });

  const through = (hop: Edge, user: string, headers: Readonly<Record<string, string>> = {}, localAddress = "127.0.0.1"): Promise<Echo> =>
    askEcho(hop.envoy.port, { localAddress, headers: { host: "shop.example", "x-user-id": user, ...headers } });

  test("the inner hop obeys the outer one's cohort, user by user", async () => {
    const seen: string[] = [];
    for (const user of users(60)) {
      const echo = await through(edge, user);
      seen.push(`${String(echo.headers["baggage"])} ${echo.answeredBy} ${String(whyOf(echo))}`);
    }
    expect(new Set(seen)).toEqual(new Set(["serin.shop=stable stable prices cohort", "serin.shop=canary canary prices cohort"]));
  });

  test("an inner hop that lacks the variant decides by itself", async () => {
    const seen: string[] = [];
    for (const user of users(20)) {
      const echo = await through(edge, user, { host: "stock.example" });
      seen.push(`${String(echo.headers["baggage"])} ${String(whyOf(echo))}`);
    }
    expect(new Set(seen)).toEqual(new Set(["serin.shop=stable stock cohort", "serin.shop=canary stock share"]));
  });

  test("what a client says at the edge is not believed, and does not go on", async () => {
    for (const user of users(20)) {
      const [plain, forged] = [
        await through(edge, user),
        await through(edge, user, { baggage: "serin.shop=canary,serin.prices=canary,a=b" }),
      ];
      expect([forged.answeredBy, forged.headers["baggage"]]).toEqual([plain.answeredBy, plain.headers["baggage"]]);
    }
  });

  test("a peer that is not trusted is not believed, and its members of ours do not go on", async () => {
    const echo = await through(inner, "ann", { baggage: "a=b, serin.shop=canary" }, "127.0.0.2");
    expect([echo.answeredBy, whyOf(echo), echo.headers["baggage"]]).toEqual(["stable", "prices share", "a=b"]);
    const alone = await through(inner, "ann", { baggage: "serin.shop=canary" }, "127.0.0.2");
    expect(alone.headers).not.toHaveProperty("baggage");
  });

  test("a trusted peer is believed, and its members go on", async () => {
    const echo = await through(inner, "ann", { baggage: "a=b, serin.shop=canary" });
    expect([echo.answeredBy, whyOf(echo), echo.headers["baggage"]]).toEqual(["canary", "prices cohort", "a=b, serin.shop=canary"]);
  });

  test("baggage without room goes on as it is, and is counted", async () => {
    const outer = await startEdge({
      stable: upstreams[0]?.address ?? "",
      canary: upstreams[1]?.address ?? "",
      change: asInnerHop,
      rollouts: await edgeRollouts(),
    });
    onTestFinished(outer.stop);
    const baggage = `a=${"b".repeat(8_180)}`;
    expect((await through(outer, "ann", { baggage })).headers["baggage"]).toBe(baggage);
    expect((await through(outer, "ann", { baggage: "a=b" })).headers["baggage"]).toBe("a=b,serin.shop=stable");
    const counted = [...(await outer.metrics())].filter(([series]) => series.includes("no room in the baggage"));
    expect(counted.map(([, count]) => count)).toEqual([1]);
  });

  test("with the edge's sidecar dead a client's word does not go on either", async () => {
    await edge.sidecar(0).kill();
    for (const user of users(5)) {
      const echo = await through(edge, user, { baggage: "serin.shop=canary,a=b" });
      expect([echo.answeredBy, whyOf(echo)]).toEqual(["stable", "prices share"]);
      expect(echo.headers).not.toHaveProperty("baggage");
    }
  });
});

test("a peer is known by the URI of its certificate", async () => {
  const upstream = await startEchoUpstream("both");
  onTestFinished(upstream.stop);
  const { directory, server, clients, authority } = await issueCertificates(["spiffe://shop.example/web", "spiffe://shop.example/other"]);
  onTestFinished(directory.remove);
  const inner = await startEdge({
    stable: upstream.address,
    canary: upstream.address,
    change: (shipped) => withMutualTls(server)(asInnerHop(shipped)),
    sidecarArgs: ["--trust-peer", "spiffe://shop.example/web"],
    rollouts: await innerRollouts(),
  });
  onTestFinished(inner.stop);
  const why: unknown[] = [];
  for (const client of clients) {
    const headers = { host: "shop.example", "x-user-id": "ann", baggage: "serin.shop=canary" };
    why.push(whyOf(await askEcho(inner.envoy.port, { headers, ...client, ca: authority, servername: "edge.example" })));
  }
  expect(why).toEqual(["prices cohort", "prices share"]);
});
