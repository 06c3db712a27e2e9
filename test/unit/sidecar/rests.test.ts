import { beforeEach, describe, expect, test } from "vitest";
import { distinct } from "../../../src/core/judge/key-sketch.ts";
import { createLog } from "../../../src/io/log.ts";
import { createPrometheusText } from "../../../src/io/prometheus-text.ts";
import { SidecarOptionsSchema } from "../../../src/sidecar/options.ts";
import { createState, type SidecarState } from "../../../src/sidecar/sidecar-state.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { entry } from "../../support/entry-facts.ts";

const log = createLog({ name: "test", level: "silent" });
const MINUTE_MS = 60_000;
let nowMs = 0;
let state: SidecarState;

beforeEach(() => {
  nowMs = 0;
  const settings = SidecarOptionsSchema.parse({ id: "s", extProc: "127.0.0.1:0", source: { file: "rules.json" } });
  state = createState(settings, { log, clock: { nowMs: () => nowMs, monotonicMs: () => nowMs } });
});

const rules = (live: Parameters<typeof ruleOf>[1]): void => state.rules.replace(ruleSetOf({ checkout: ruleOf({}, live) }));

/** A user of stable whose request fails, as the sidecar hears of it. */
function failedRequest(run: number, bucket = 7): void {
  const labels = { rollout: "checkout", variant: "stable", run, control: false } as const;
  state.cells.decided(labels, "off");
  state.accessLog.ended({ kind: "outcome", ...labels, class: "failed", latencyMs: 3, isSession: false, bucket }, entry());
}

/** So many minutes pass, with looks as often as a sidecar has them. */
function pass(minutes: number): void {
  for (const endMs = nowMs + minutes * MINUTE_MS; nowMs < endMs; nowMs += 10_000) state.forgetOver();
  state.forgetOver();
}

/** Names of the metrics of the rollout that a scrape has. */
function shown(): readonly string[] {
  const asText = createPrometheusText();
  const lines = [...state.collect()].map(asText).join("").split("\n");
  return [...new Set(lines.filter((line) => line.includes('rollout="checkout"')).map((line) => line.replace(/\{.*/, "")))];
}

describe("series of a rollout", () => {
  test("stay for the 10 minutes after its rules were switched off, so that their last values are scraped, and then go", () => {
    rules({ run: 2, shareBp: 0, off: true });
    failedRequest(2);
    pass(9);
    expect(shown()).toEqual(expect.arrayContaining(["serin_decisions_total", "serin_share_set_ratio", "serin_known_failing_users"]));
    pass(2);
    expect(shown()).toEqual([]);
  });

  test("do not come back with the requests that its resting rules go on to decide", () => {
    rules({ run: 2, shareBp: 0, off: true });
    failedRequest(2);
    pass(11);
    failedRequest(2);
    failedRequest(1);
    pass(60);
    expect(shown()).toEqual([]);
  });

  test("begin anew with its next attempt", () => {
    rules({ run: 2, shareBp: 0, off: true });
    failedRequest(2);
    pass(11);
    rules({ run: 3 });
    failedRequest(3);
    expect(shown()).toContain("serin_outcomes_total");
    expect([...state.cells.all()].map(({ labels: { run }, startMs }) => [run, startMs])).toEqual([[3, nowMs]]);
  });

  test("stay where the rules came on again before the time was over, or went off under another run", () => {
    rules({ run: 2, shareBp: 0, off: true });
    failedRequest(2);
    pass(6);
    rules({ run: 3 });
    failedRequest(3);
    pass(6);
    rules({ run: 4, shareBp: 0, off: true });
    failedRequest(4);
    pass(6);
    expect(shown()).toContain("serin_decisions_total");
  });

  test("go 10 minutes after its rules did, those of users who failed among them", () => {
    rules({ run: 2 });
    failedRequest(2);
    state.rules.replace(ruleSetOf({}));
    pass(9);
    expect(shown()).toEqual(expect.arrayContaining(["serin_decisions_total", "serin_failing_users"]));
    pass(2);
    expect(shown()).toEqual([]);
    pass(20);
    expect(shown()).toEqual([]);
  });

  test("stay while its canary is stopped here alone, or switched off by an operator: neither is an end", () => {
    rules({ run: 2 });
    state.rules.stop("checkout", { failures: 5, users: 3 });
    failedRequest(2);
    pass(30);
    expect(shown()).toContain("serin_decisions_total");
  });
});

test("users who fail while a rollout rests are still known to its next attempt", () => {
  rules({ run: 2, shareBp: 0, off: true });
  failedRequest(2);
  pass(11);
  failedRequest(2, 8);
  expect(state.failing.of("checkout").map((part) => distinct(part.users()))).toEqual([2]);
});
