import { describe, expect, test } from "vitest";
import { attribute, attributeToggles } from "../../../src/sidecar/attribution.ts";
import { entry, ON_CANARY } from "../../support/entry-facts.ts";

describe("a request that a rollout decided", () => {
  test.each([
    { title: "is ok when the upstream answers", facts: {}, class: "ok", latencyMs: 12 },
    { title: "is ok with a client's error, which is no fault of the variant", facts: { responseCode: 404 }, class: "ok", latencyMs: 12 },
    { title: "fails with a server's error", facts: { responseCode: 503 }, class: "failed", latencyMs: 12 },
    { title: "fails when no answer came", facts: { responseCode: 0 }, class: "failed", latencyMs: 12 },
    {
      title: "fails when the upstream refused the connection",
      facts: { upstreamReached: false, responseCode: 503, flags: ["upstreamConnectionFailure"], upstreamMs: undefined },
      class: "failed",
      latencyMs: 15,
    },
    {
      title: "fails when the upstream took too long",
      facts: { responseCode: 504, flags: ["upstreamRequestTimeout"], upstreamMs: undefined },
      class: "failed",
      latencyMs: 15,
    },
    {
      title: "fails for the variant tried first when another attempt saved it, and its time counts for nobody",
      facts: { attempts: 2, upstreamCluster: "stable" },
      class: "failed",
      latencyMs: undefined,
    },
    {
      title: "fails with a gRPC status that is the server's fault, in spite of HTTP 200",
      facts: { grpcStatus: 14 },
      class: "failed",
      latencyMs: 12,
    },
    { title: "is ok with a gRPC status that is the caller's fault", facts: { grpcStatus: 5 }, class: "ok", latencyMs: 12 },
    {
      title: "fails when the route of its variant leads to no cluster",
      facts: {
        upstreamCluster: "",
        upstreamReached: false,
        attempts: 0,
        responseCode: 503,
        flags: ["noClusterFound"],
        upstreamMs: undefined,
      },
      class: "failed",
      latencyMs: 15,
    },
    {
      title: "fails when the answer stopped in the middle",
      facts: { responseCode: 200, flags: ["streamIdleTimeout"] },
      class: "failed",
      latencyMs: 12,
    },
    {
      title: "fails when its variant has no host, and so was refused by nobody",
      facts: { upstreamCluster: "nobody", responseCode: 503, flags: ["upstreamConnectionFailure"], upstreamMs: undefined },
      class: "failed",
      latencyMs: 15,
    },
    {
      title: "is ok as a WebSocket that its server ended, and its length is no time",
      facts: { responseCode: 101, flags: ["upstreamConnectionTermination"], durationMs: 90_000 },
      class: "ok",
      latencyMs: undefined,
    },
    {
      title: "is ok as a WebSocket that its client ended, however late",
      facts: { responseCode: 101, flags: ["downstreamConnectionTermination"], upstreamMs: undefined, durationMs: 90_000 },
      class: "ok",
      latencyMs: undefined,
    },
    {
      title: "fails as a WebSocket that another attempt opened",
      facts: { responseCode: 101, attempts: 2, upstreamCluster: "stable" },
      class: "failed",
      latencyMs: undefined,
    },
    {
      title: "is Envoy's own reply when no upstream was tried, whatever cluster its route had",
      facts: {
        upstreamCluster: "stable",
        upstreamReached: false,
        attempts: 0,
        responseCode: 429,
        flags: ["rateLimited"],
        upstreamMs: undefined,
      },
      class: "local",
      latencyMs: undefined,
    },
    {
      title: "is Envoy's own reply when no upstream was tried",
      facts: { upstreamReached: false, attempts: 0, responseCode: 403, upstreamMs: undefined },
      class: "local",
      latencyMs: undefined,
    },
  ])("$title", ({ facts, class: outcome, latencyMs }) => {
    expect(attribute(entry(facts))).toEqual({
      kind: "outcome",
      rollout: "checkout",
      variant: "canary",
      run: 3,
      control: false,
      class: outcome,
      latencyMs,
      bucket: 7,
      isSession: false,
    });
  });

  test("tells that it asked for another protocol, whatever came of it", () => {
    const decided = { ...ON_CANARY, isSession: true };
    const said = [101, 503].map((responseCode) => attribute(entry({ decided, responseCode })));
    expect(said).toMatchObject([
      { class: "ok", isSession: true },
      { class: "failed", isSession: true },
    ]);
  });

  test("counts for the run that decided it, whatever runs now", () => {
    const decided = {
      variant: "stable",
      rollout: "checkout",
      run: 1,
      control: true,
      cluster: "stable",
      bucket: 9,
      isSession: false,
      also: [],
    } as const;
    expect(attribute(entry({ decided, upstreamCluster: "stable" }))).toMatchObject({ variant: "stable", run: 1, control: true });
  });
});

test("a request without a decision failed open and is nobody's", () => {
  expect(attribute(entry({ decided: undefined }))).toEqual({ kind: "failed open" });
});

test("a request that Envoy refused before it was decided did not fail open", () => {
  const refused = { decided: undefined, upstreamReached: false, attempts: 0, responseCode: 401, upstreamMs: undefined };
  expect(attribute(entry(refused))).toEqual({ kind: "undecided" });
});

test.each([2, 4, 12, 13, 14, 15])("gRPC status %d is the server's fault, as its HTTP status 5xx says", (grpcStatus) => {
  expect(attribute(entry({ grpcStatus }))).toMatchObject({ class: "failed" });
});

test.each([0, 1, 3, 5, 6, 7, 8, 9, 10, 11, 16])("gRPC status %d is not", (grpcStatus) => {
  expect(attribute(entry({ grpcStatus }))).toMatchObject({ class: "ok" });
});

test("a request that no rollout governs is nobody's", () => {
  const decided = {
    variant: "stable",
    rollout: undefined,
    run: 0,
    control: false,
    cluster: undefined,
    bucket: undefined,
    isSession: false,
    also: [],
  } as const;
  expect(attribute(entry({ decided }))).toEqual({ kind: "no rollout" });
});

describe("canary decided, another cluster answered at the first attempt", () => {
  test("the canary's cluster is missing: an alarm, no evidence", () => {
    expect(attribute(entry({ upstreamCluster: "stable" }))).toEqual({
      kind: "cluster missing",
      rollout: "checkout",
      variant: "canary",
      run: 3,
      control: false,
      isSession: false,
    });
  });

  test("an outcome when the decision named that cluster, whatever the rules say now", () => {
    const decided = { ...ON_CANARY, cluster: "checkout-v2" };
    expect(attribute(entry({ decided, upstreamCluster: "checkout-v2" }))).toMatchObject({ kind: "outcome", class: "ok" });
  });
});

describe("a request that carried tags of toggles", () => {
  const banner = { rollout: "banner", variant: "on", run: 2, control: false, bucket: 11 };
  const search = { rollout: "search", variant: "stable", run: 5, control: true, bucket: undefined };
  const decided = { ...ON_CANARY, also: [banner, search] };

  test.each([
    { title: "counts for each of them as it ended", facts: {}, class: "ok", latencyMs: 12 },
    { title: "a failed one too", facts: { responseCode: 503 }, class: "failed", latencyMs: 12 },
    { title: "a rescued one too", facts: { attempts: 2 }, class: "failed", latencyMs: undefined },
    { title: "also where the canary's cluster is missing", facts: { upstreamCluster: "stable" }, class: "ok", latencyMs: 12 },
  ])("$title", ({ facts, class: outcome, latencyMs }) => {
    const common = { kind: "outcome", class: outcome, latencyMs, isSession: false };
    expect(attributeToggles(entry({ decided, ...facts }))).toEqual([
      { ...banner, ...common },
      { ...search, ...common },
    ]);
  });

  test("is nobody's besides where there were none, or nothing was decided", () => {
    expect([attributeToggles(entry()), attributeToggles(entry({ decided: undefined }))]).toEqual([[], []]);
  });
});
