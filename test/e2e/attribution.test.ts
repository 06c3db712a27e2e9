import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stopAll } from "../../src/demo/stop-all.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { countedBy, type Edge, MISSING_HOST, openOf, startEdge, startEdgeForTest } from "../support/edge.ts";
import { withAccessLogStream, withHttp2Upstreams, withLists, withMessageTimeout, withOwnReply } from "../support/edge-config.ts";
import { type EdgeUpstream, startGrpcUpstream, startHttp1Upstream, startHttp2Upstream, type Variant } from "../support/edge-upstreams.ts";
import { grpc, http1, http2, openWebSocket, type Speaker, webSocket } from "../support/speakers.ts";

/** A protocol, and how each thing is asked for in it. */
interface Spoken {
  readonly speaker: Speaker;
  readonly upstream: (name: Variant) => Promise<EdgeUpstream>;
  readonly change: (shipped: string) => string;
  readonly ok: string;
  /** Fails on the canary, and is not rescued. */
  readonly fails: string;
  readonly failsOnStable: string;
  readonly rescued: string;
  readonly hangs: string;
  /** Envoy answers by itself after the decision. */
  readonly own: string;
  /** Envoy refuses it before anything is decided: a path with a fragment. */
  readonly refused: string;
}

const byHttp = {
  ok: "GET /ok",
  fails: "POST /fail/canary",
  failsOnStable: "GET /fail/stable",
  rescued: "GET /fail/canary",
  hangs: "POST /hang/canary",
  own: "GET /own",
  refused: "GET /ok#part",
};

const PROTOCOLS: readonly Spoken[] = [
  { speaker: http1, upstream: startHttp1Upstream, change: withOwnReply("/own"), ...byHttp },
  { speaker: http2, upstream: startHttp2Upstream, change: (shipped) => withHttp2Upstreams(withOwnReply("/own")(shipped)), ...byHttp },
  {
    speaker: grpc,
    upstream: startGrpcUpstream,
    change: (shipped) => withHttp2Upstreams(withLists({ safe: "/edge/Refuse" })(withOwnReply("/edge/Own")(shipped))),
    ok: "Ok nobody",
    fails: "Fail canary",
    failsOnStable: "Fail stable",
    rescued: "Refuse canary",
    hangs: "Hang canary",
    own: "Own nobody",
    refused: "Ok#part nobody",
  },
  {
    speaker: webSocket,
    upstream: startHttp1Upstream,
    change: withOwnReply("/own"),
    ...byHttp,
    fails: "GET /fail/both",
    hangs: "GET /hang/canary",
  },
];

/** How Envoy tells of ends: as it is shipped, and as meshes configure it. */
const LOGS = [
  { log: "lines", told: (shipped: string) => shipped },
  { log: "the access log stream", told: withAccessLogStream },
];

/** One test waits until a request goes undecided. */
const undecidedSoon = withMessageTimeout("1s");

const ROWS = LOGS.flatMap(({ log, told }) => PROTOCOLS.map((spoken) => ({ title: spoken.speaker.title, log, spoken, told })));

describe.each(ROWS)("by $title, told by $log", ({ spoken, told }) => {
  const { speaker } = spoken;
  const isSession = speaker === webSocket;
  const stops: (() => unknown)[] = [];
  let stable: EdgeUpstream;
  let canary: EdgeUpstream;
  let edge: Edge;
  beforeAll(async () => {
    [stable, canary] = await Promise.all([spoken.upstream("stable"), spoken.upstream("canary")]);
    stops.push(stable.stop, canary.stop);
    edge = await startEdge({
      stable: stable.address,
      canary: canary.address,
      change: (shipped) => undecidedSoon(told(spoken.change(shipped))),
    });
    stops.push(edge.stop);
  });
  afterAll(() => stopAll(stops));

  const ask = (what: string, variant: Variant, host?: string) =>
    speaker.ask({ port: edge.envoy.port, variant, what, ...(host !== undefined && { host }) });
  const good = (by: Variant) => ({ isGood: true, by });
  /** A session's length says nothing about the variant. */
  const timed = (variant: Variant) => (isSession ? {} : { [`${variant} timed`]: 1 });

  test.each(["stable", "canary"] as const)("an answer of %s counts for it, with its time", async (variant) => {
    const counted = await countedBy(edge, 1, async () => expect(await ask(spoken.ok, variant)).toMatchObject(good(variant)));
    expect(counted).toEqual({ [`${variant} ok`]: 1, ...timed(variant) });
  });

  test("a final error counts as the canary's failure", async () => {
    const counted = await countedBy(edge, 1, async () => expect(await ask(spoken.fails, "canary")).toMatchObject({ isGood: false }));
    expect(counted).toEqual({ "canary failed": 1, ...timed("canary") });
  });

  test("stable's error counts as stable's failure: both sides are counted alike", async () => {
    const counted = await countedBy(edge, 1, async () =>
      expect(await ask(spoken.failsOnStable, "stable")).toMatchObject({ isGood: false }),
    );
    expect(counted).toEqual({ "stable failed": 1, "stable timed": 1 });
  });

  test("a rescued request counts as the canary's failure, without a time, and not at all for stable that answered", async () => {
    const counted = await countedBy(edge, 1, async () => expect(await ask(spoken.rescued, "canary")).toMatchObject(good("stable")));
    expect(counted).toEqual({ "canary failed": 1 });
  });

  test("a request that went on without a decision failed open, and counts for nobody", async () => {
    const counted = await countedBy(edge, 1, async () => {
      edge.sidecar(0).freeze();
      try {
        expect(await ask(spoken.ok, "canary")).toMatchObject(good("stable"));
      } finally {
        edge.sidecar(0).resume();
      }
      await edge.waitForHealthy(1);
    });
    expect(counted).toEqual({ "failed open": 1 });
  });

  test("canary decided and answered by stable at the first try: its cluster is missing, which is an alarm and no evidence", async () => {
    const before = await openOf(edge);
    const counted = await countedBy(edge, 1, async () =>
      expect(await ask(spoken.ok, "canary", MISSING_HOST)).toMatchObject(good("stable")),
    );
    expect(counted).toEqual({ "cluster missing": 1 });
    expect(await openOf(edge)).toBe(before);
  });

  const reached = (before: number) => waitFor(() => canary.tries.length > before, { deadlineMs: 20_000, what: "the canary to be asked" });

  test("a client that leaves at once is aborted, without a time", async () => {
    const before = canary.tries.length;
    const counted = await countedBy(edge, 1, () =>
      speaker.leave({ port: edge.envoy.port, variant: "canary", what: spoken.hangs }, () => reached(before)),
    );
    expect(counted).toEqual({ "canary aborted": 1 });
  });

  test("a client that leaves after a second is aborted, and its wait counts as slow", async () => {
    const before = canary.tries.length;
    const counted = await countedBy(edge, 1, () =>
      speaker.leave({ port: edge.envoy.port, variant: "canary", what: spoken.hangs }, async () => {
        await reached(before);
        const sinceMs = performance.now();
        await waitFor(() => performance.now() - sinceMs > 1_050, { deadlineMs: 20_000, what: "a second to pass" });
      }),
    );
    expect(counted).toEqual({ "canary aborted": 1, "canary timed": 1 });
  });

  test(`a request that hangs is open until it ends${isSession ? ", but nobody waits for a session" : ""}`, async () => {
    const [before, tried] = [await openOf(edge), canary.tries.length];
    const openBeside = async () => (await openOf(edge)) - before;
    const isOpen = (count: number) => async () => (await openBeside()) === count;
    await speaker.leave({ port: edge.envoy.port, variant: "canary", what: spoken.hangs }, async () => {
      await reached(tried);
      await waitFor(isOpen(isSession ? 0 : 1), { deadlineMs: 20_000, what: "the request to be open" });
    });
    await waitFor(isOpen(0), { deadlineMs: 20_000, what: "the request to be open no more" });
    expect(await openBeside()).toBe(0);
  });

  test("Envoy's own reply to a decided request is no variant's outcome", async () => {
    const counted = await countedBy(edge, 1, async () => expect(await ask(spoken.own, "canary")).toEqual({ isGood: false, by: "" }));
    expect(counted).toEqual({ "canary local": 1 });
  });

  test("Envoy's own reply before anything was decided is not counted at all", async () => {
    const counted = await countedBy(edge, 0, async () => expect(await ask(spoken.refused, "canary")).toEqual({ isGood: false, by: "" }));
    expect(counted).toEqual({});
  });
});

describe("a WebSocket that was opened is good, whoever ends it and however late", () => {
  const stops: (() => unknown)[] = [];
  let edge: Edge;
  beforeAll(async () => {
    const [stable, canary] = await Promise.all([startHttp1Upstream("stable"), startHttp1Upstream("canary")]);
    stops.push(stable.stop, canary.stop);
    edge = await startEdge({ stable: stable.address, canary: canary.address });
    stops.push(edge.stop);
  });
  afterAll(() => stopAll(stops));
  const open = () => openWebSocket({ port: edge.envoy.port, variant: "canary", what: "GET /ok" });

  test("ended by the server, as RFC 6455 asks for", async () => {
    const counted = await countedBy(edge, 1, async () => {
      const opened = await open();
      expect(await opened.echo("bye")).toBe("bye");
      await opened.closed;
    });
    expect(counted).toEqual({ "canary ok": 1 });
  });

  test("ended by the client, after longer than a client would wait for an answer", async () => {
    const counted = await countedBy(edge, 1, async () => {
      const opened = await open();
      const sinceMs = performance.now();
      await waitFor(() => performance.now() - sinceMs > 1_050, { deadlineMs: 20_000, what: "a second to pass" });
      await opened.close();
    });
    expect(counted).toEqual({ "canary ok": 1 });
  });
});

test("a gRPC call that a hanging canary leaves to its deadline is the canary's failure, and no client that left", async () => {
  const [stable, canary] = await Promise.all([startHttp2Upstream("stable"), startHttp2Upstream("canary")]);
  const edge = await startEdgeForTest({ stable: stable.address, canary: canary.address, change: withHttp2Upstreams });
  const headers = { "content-type": "application/grpc", te: "trailers", "grpc-timeout": "200m" };
  const call = { port: edge.envoy.port, variant: "canary", what: "POST /hang/canary", headers } as const;
  const counted = await countedBy(edge, 1, async () => expect(await http2.ask(call)).toMatchObject({ by: "" }));
  expect(counted).toEqual({ "canary failed": 1, "canary timed": 1 });
  await Promise.all([stable.stop(), canary.stop()]);
});
