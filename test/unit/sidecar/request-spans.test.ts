import { describe, expect, test } from "vitest";
import { NO_ROLLOUT } from "../../../src/core/decide/decide.ts";
import type { Decision, Reason } from "../../../src/core/decide/types.ts";
import type { SpanRecord } from "../../../src/io/spans.ts";
import { traceDecision } from "../../../src/sidecar/request-spans.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const decided = (change: Partial<Decision> = {}): Decision => ({
  ...NO_ROLLOUT,
  rollout: "cart",
  variant: "canary",
  run: 3,
  reason: "share",
  ...change,
});

function spansOf(traceparent: string | undefined, ...decisions: readonly Decision[]): SpanRecord[] {
  const told: SpanRecord[] = [];
  const request = { headers: (name: string) => (name === "traceparent" && traceparent !== undefined ? [traceparent] : []) };
  traceDecision({ decisions, request, rules: { epoch: 7, revision: 2 } }, { nowMs: () => 5 }, (span) => told.push(span));
  return told;
}

test("a request that somebody records tells which variant it got of which rollout, and why, in OpenTelemetry's words", () => {
  const [span, ...more] = spansOf(`00-${TRACE}-${SPAN}-01`, decided(), decided({ rollout: "banner", variant: "on", reason: "target" }));
  expect(more).toEqual([]);
  const attributes = {
    "feature_flag.key": "cart",
    "feature_flag.result.variant": "canary",
    "feature_flag.result.reason": "split",
    "feature_flag.provider.name": "serin",
    "feature_flag.version": "7.2",
    "serin.run": 3,
  };
  expect(span).toMatchObject({ name: "serin decide", startMs: 5, endMs: 5, parent: { traceId: TRACE, spanId: SPAN }, attributes });
  expect(span?.events?.map(({ name, attributes: { "feature_flag.key": key } }) => [name, key])).toEqual([
    ["feature_flag.evaluation", "cart"],
    ["feature_flag.evaluation", "banner"],
  ]);
});

describe("nothing is told of a request", () => {
  test.each([
    { title: "without a trace", traceparent: undefined },
    { title: "that nobody records", traceparent: `00-${TRACE}-${SPAN}-00` },
    { title: "with a trace of zeros", traceparent: `00-${"0".repeat(32)}-${SPAN}-01` },
    { title: "with a parent of zeros", traceparent: `00-${TRACE}-${"0".repeat(16)}-01` },
    { title: "of the version that is forbidden", traceparent: `ff-${TRACE}-${SPAN}-01` },
    { title: "with nonsense", traceparent: "yes" },
  ])("$title", ({ traceparent }) => {
    expect(spansOf(traceparent, decided())).toEqual([]);
  });

  test("that no rollout governs", () => {
    expect(spansOf(`00-${TRACE}-${SPAN}-01`, NO_ROLLOUT)).toEqual([]);
  });
});

test.each<[Reason, string]>([
  ["no key", "default"],
  ["off", "disabled"],
  ["unwatched", "stale"],
  ["cohort", "targeting_match"],
])("the reason %s is told as %s", (reason, told) => {
  expect(spansOf(`00-${TRACE}-${SPAN}-03`, decided({ reason }))[0]?.attributes["feature_flag.result.reason"]).toBe(told);
});
