import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../src/demo/wait-for.ts";
import { countedBy, type Edge, startEdge, startEdgeForTest } from "../support/edge.ts";
import { withCanaryChecked, withHttp2Upstreams, withLists } from "../support/edge-config.ts";
import { type EdgeUpstream, REFUSING, startGrpcUpstream, startHttp1Upstream } from "../support/edge-upstreams.ts";
import { grpc, http1, openWebSocket } from "../support/speakers.ts";

const SAFE = ["GET", "HEAD", "OPTIONS"];
const UNSAFE = ["POST", "PUT", "PATCH", "DELETE"];

/** Waits until Envoy holds so many of the canary's hosts for healthy. */
const waitForHosts = (edge: Edge, count: number) =>
  waitFor(async () => (await edge.envoy.stat("cluster.canary.membership_healthy")) === count, {
    deadlineMs: 10_000,
    what: `${count} healthy hosts of the canary`,
  });

describe("a canary in trouble", () => {
  let stable: EdgeUpstream;
  let canary: EdgeUpstream;
  let edge: Edge;
  beforeAll(async () => {
    [stable, canary] = await Promise.all([startHttp1Upstream("stable"), startHttp1Upstream("canary")]);
    edge = await startEdge({ stable: stable.address, canary: canary.address });
  });
  afterAll(async () => {
    await edge.stop();
    await Promise.all([stable.stop(), canary.stop()]);
  });

  const ask = (what: string, variant: "stable" | "canary" = "canary") => http1.ask({ port: edge.envoy.port, variant, what });
  /** Tries of a path at each upstream. */
  const tries = (path: string) =>
    [canary, stable].map((upstream) => upstream.tries.filter((seen) => seen.endsWith(` ${path}`)).map((seen) => seen.split(" ")[0]));

  test.each([
    { title: "answers only 503", path: "/fail/canary/only" },
    { title: "cuts the connection", path: "/reset/canary/only" },
  ])("that $title: safe requests are answered by stable, and the canary gets the blame", async ({ path }) => {
    const wanted = Array.from({ length: 30 }, (_, index) => `${SAFE[index % 3]} ${path}`);
    const act = async () => {
      for (const what of wanted) expect(await ask(what)).toEqual({ isGood: true, by: "stable" });
    };
    expect(await countedBy(edge, 30, act)).toEqual({ "canary failed": 30 });
    expect(tries(path).map((each) => each.length)).toEqual([30, 30]);
  });

  test("that hangs: the answer comes from stable after per_try_timeout, though the canary never ends", async () => {
    const path = "/hang/canary/only";
    const act = async () => {
      const all = await Promise.all(Array.from({ length: 20 }, () => ask(`GET ${path}`)));
      expect(new Set(all.map(({ by }) => by))).toEqual(new Set(["stable"]));
    };
    const timeouts = await edge.envoy.stat("cluster.canary-or-nobody.upstream_rq_per_try_timeout");
    expect(await countedBy(edge, 20, act)).toEqual({ "canary failed": 20 });
    expect(await edge.envoy.stat("cluster.canary-or-nobody.upstream_rq_per_try_timeout")).toBe(timeouts + 20);
    expect(tries(path).map((each) => each.length)).toEqual([20, 20]);
  });

  test("many at a time are all rescued: Envoy's default would let 3 be", async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => ask("GET /fail/canary/slowly")));
    expect(all.filter(({ by }) => by !== "stable")).toEqual([]);
  });

  test.each(UNSAFE)("a %s is tried once: its user sees the canary's failure", async (method) => {
    const path = `/fail/canary/${method}`;
    const act = async () => expect(await ask(`${method} ${path}`)).toEqual({ isGood: false, by: "canary" });
    expect(await countedBy(edge, 1, act)).toEqual({ "canary failed": 1, "canary timed": 1 });
    expect(tries(path)).toEqual([[method], []]);
  });

  test.each(UNSAFE)("a %s on a connection that breaks is not tried again either, nor as a WebSocket", async (method) => {
    const path = `/reset/canary/${method}`;
    expect(await ask(`${method} ${path}`)).toEqual({ isGood: false, by: "" });
    const shaken = await openWebSocket({ port: edge.envoy.port, variant: "canary", what: `${method} ${path}` });
    expect(shaken.isGood).toBe(false);
    expect(tries(path)[1]).toEqual([]);
  });

  test("stable in trouble is asked once by each request: nothing is tried again, and nothing goes to the canary", async () => {
    const path = "/fail/stable/only";
    const act = async () => expect(await ask(`GET ${path}`, "stable")).toEqual({ isGood: false, by: "stable" });
    expect(await countedBy(edge, 1, act)).toEqual({ "stable failed": 1, "stable timed": 1 });
    expect(tries(path)).toEqual([[], ["GET"]]);
  });

  test("with both in trouble a request is tried once on each, and its user sees stable's failure", async () => {
    const path = "/fail/both/only";
    const act = async () => expect(await ask(`GET ${path}`)).toEqual({ isGood: false, by: "stable" });
    expect(await countedBy(edge, 1, act)).toEqual({ "canary failed": 1 });
    expect(tries(path)).toEqual([["GET"], ["GET"]]);
  });

  test("a WebSocket whose handshake fails on the canary is opened by stable", async () => {
    const opened = await openWebSocket({ port: edge.envoy.port, variant: "canary", what: "GET /fail/canary/socket" });
    expect([opened.isGood, opened.by, await opened.echo("hello")]).toEqual([true, "stable", "hello"]);
    await opened.close();
  });

  test("a WebSocket on the canary is not cut by per_try_timeout, nor is what has begun to answer", async () => {
    const opened = await openWebSocket({ port: edge.envoy.port, variant: "canary", what: "GET /ok" });
    // A hanging request of the same moment shows that the time is over.
    expect(await ask("GET /hang/canary/beside")).toMatchObject({ by: "stable" });
    expect([opened.by, await opened.echo("still here")]).toEqual(["canary", "still here"]);
    await opened.close();
  });
});

test.each([
  { title: "refuses connections", canary: REFUSING, healthy: 1 },
  { title: "has no host", canary: [], healthy: 0 },
  { title: "is unhealthy, all of it", canary: REFUSING, change: withCanaryChecked, healthy: 0 },
])("a canary that $title: safe requests are answered by stable, and the canary gets the blame", async ({ healthy, ...options }) => {
  const stable = await startHttp1Upstream("stable");
  const edge = await startEdgeForTest({ stable: stable.address, ...options });
  await waitForHosts(edge, healthy);
  const ask = (what: string) => http1.ask({ port: edge.envoy.port, variant: "canary", what });
  const act = async () => {
    for (const method of SAFE) expect(await ask(`${method} /ok`)).toEqual({ isGood: true, by: "stable" });
    for (const method of UNSAFE) expect(await ask(`${method} /ok`)).toEqual({ isGood: false, by: "" });
  };
  const counted = await countedBy(edge, 7, act);
  expect(counted).toEqual({ "canary failed": 7, "canary timed": 4 });
  expect(stable.tries.filter((tried) => tried.endsWith(" /ok"))).toEqual(SAFE.map((method) => `${method} /ok`));
  await stable.stop();
});

test("a canary of which one host in three is healthy: that one answers everything, and nothing is blamed", async () => {
  const [stable, canary] = await Promise.all([startHttp1Upstream("stable"), startHttp1Upstream("canary")]);
  const hosts = [canary.address, REFUSING, "127.0.0.1:2"];
  const edge = await startEdgeForTest({ stable: stable.address, canary: hosts, change: withCanaryChecked });
  await waitForHosts(edge, 1);
  const counted = await countedBy(edge, 50, async () => {
    for (let count = 0; count < 50; count += 1) {
      expect(await http1.ask({ port: edge.envoy.port, variant: "canary", what: "POST /ok" })).toEqual({ isGood: true, by: "canary" });
    }
  });
  expect(counted).toEqual({ "canary ok": 50, "canary timed": 50 });
  await Promise.all([stable.stop(), canary.stop()]);
});

test("a gRPC canary without a host: a method that is listed as safe is answered by stable", async () => {
  const stable = await startGrpcUpstream("stable");
  const change = (shipped: string) => withHttp2Upstreams(withLists({ safe: "/edge/Ok" })(shipped));
  const edge = await startEdgeForTest({ stable: stable.address, canary: [], change });
  const ask = (what: string) => grpc.ask({ port: edge.envoy.port, variant: "canary", what });
  const counted = await countedBy(edge, 2, async () => {
    expect(await ask("Ok nobody")).toEqual({ isGood: true, by: "stable" });
    expect(await ask("Fail nobody")).toMatchObject({ isGood: false });
  });
  expect(counted).toEqual({ "canary failed": 2, "canary timed": 1 });
  await stable.stop();
});

test("without a decision nothing is tried again: a request that failed open stays at stable, once", async () => {
  const [stable, canary] = await Promise.all([startHttp1Upstream("stable"), startHttp1Upstream("canary")]);
  const edge = await startEdgeForTest({ stable: stable.address, canary: canary.address });
  await edge.sidecar(0).kill();
  await waitFor(async () => (await edge.envoy.stat("cluster.serin.membership_healthy")) === 0, {
    deadlineMs: 10_000,
    what: "Envoy to miss the sidecar",
  });
  expect(await http1.ask({ port: edge.envoy.port, variant: "canary", what: "GET /fail/stable" })).toEqual({ isGood: false, by: "stable" });
  expect([stable.tries, canary.tries]).toEqual([["GET /fail/stable"], []]);
  await Promise.all([stable.stop(), canary.stop()]);
});

test("the lists of the shipped configuration: a POST that is safe is rescued, and a long poll is not cut on either", async () => {
  const [stable, canary] = await Promise.all([startHttp1Upstream("stable"), startHttp1Upstream("canary")]);
  const change = withLists({ safe: "/fail/canary/listed", late: "/late" });
  const edge = await startEdgeForTest({ stable: stable.address, canary: canary.address, change });
  const ask = (what: string, variant: "stable" | "canary" = "canary") => http1.ask({ port: edge.envoy.port, variant, what });
  const counted = await countedBy(edge, 4, async () => {
    expect(await ask("POST /fail/canary/listed")).toEqual({ isGood: true, by: "stable" });
    expect(await ask("POST /fail/canary/unlisted")).toEqual({ isGood: false, by: "canary" });
    const polls = await Promise.all([ask("GET /late/both"), ask("GET /late/both", "stable")]);
    expect(polls).toEqual([
      { isGood: true, by: "canary" },
      { isGood: true, by: "stable" },
    ]);
  });
  expect(counted).toEqual({ "canary failed": 2, "canary ok": 1, "canary timed": 2, "stable ok": 1, "stable timed": 1 });
  await Promise.all([stable.stop(), canary.stop()]);
});
