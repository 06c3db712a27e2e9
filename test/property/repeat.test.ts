import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { type RecordedTick, RecordedTickSchema } from "../../src/contract/ticks.ts";
import { judge, startJudge } from "../../src/core/judge/judge.ts";
import type { EvidenceBatch, Outcomes } from "../../src/core/judge/types.ts";
import { NOTHING_REPEATED, type RepeatOutcome, repeat } from "../../src/core/replay/repeat.ts";
import { policy, SINCE_MS } from "../support/judge-inputs.ts";

const count = fc.integer({ min: 0, max: 2_000 });
const outcomes: fc.Arbitrary<Outcomes> = fc
  .record({
    ok: count,
    failed: fc.integer({ min: 0, max: 40 }),
    decided: count,
    settled: count,
    latency: fc.array(count, { maxLength: 24 }),
  })
  .map(({ ok, ...rest }) => ({ ...rest, requests: ok + rest.failed }));
const batch: fc.Arbitrary<EvidenceBatch> = fc.record({
  nowMs: fc.integer({ min: SINCE_MS - 1_000, max: SINCE_MS + 10_000_000 }),
  run: fc.integer({ min: 1, max: 3 }),
  runCanary: count,
  stable: outcomes,
  canary: outcomes,
});
const batches = fc.array(batch, { minLength: 1, maxLength: 30 });

/** As a leader records them, one term each `termLength`, a state at the begin of each; they travel as text. */
function recorded(told: readonly EvidenceBatch[], termLength: number): RecordedTick[] {
  let state = startJudge(SINCE_MS);
  return told.map((each, index) => {
    const { state: after, record } = judge(policy, state, each);
    const sequence = (index % termLength) + 1;
    const mark = sequence === 1 ? { state, policy } : {};
    state = after;
    const place = {
      format: 1,
      rollout: "cart",
      firstRun: 1,
      term: Math.floor(index / termLength) + 1,
      sequence,
      phase: "stage",
      shareBp: 100,
    };
    const text = JSON.stringify({ ...place, ...mark, batch: each, verdict: record.verdict, inputs: record.inputs });
    return RecordedTickSchema.parse(JSON.parse(text));
  });
}

function repeatAll(ticks: readonly RecordedTick[]): { outcomes: RepeatOutcome[]; missing: number } {
  let repeated = NOTHING_REPEATED;
  let missing = 0;
  const found = ticks.map((tick) => {
    const result = repeat(repeated, tick);
    repeated = result.after;
    missing += result.missing;
    return result.outcome;
  });
  return { outcomes: found, missing };
}

const types = (found: readonly RepeatOutcome[]): string[] => found.map((outcome) => outcome.type);

describe("recorded ticks", () => {
  test.prop([batches, fc.integer({ min: 1, max: 10 })])("give the same verdicts again, over any number of leaders", (told, termLength) => {
    const { outcomes: found, missing } = repeatAll(recorded(told, termLength));
    expect(found.every((outcome) => outcome.type === "judged" && outcome.isEqual)).toBe(true);
    expect(missing).toBe(0);
  });

  test.prop([batches, fc.nat(), fc.nat()])("count once, however often and late they come again", (told, from, to) => {
    const ticks = recorded(told, 5);
    const again = ticks.slice(from % ticks.length, (to % ticks.length) + 1);
    expect(
      repeatAll([...ticks, ...again])
        .outcomes.slice(ticks.length)
        .every(({ type }) => type === "again"),
    ).toBe(true);
  });

  test.prop([batches, fc.nat()])("are judged as before or not at all where one is missing", (told, lost) => {
    const ticks = recorded(told, 5);
    const { outcomes: found } = repeatAll(ticks.filter((_, index) => index !== lost % ticks.length));
    expect(found.every((outcome) => outcome.type === "unknown" || (outcome.type === "judged" && outcome.isEqual))).toBe(true);
  });
});

const four = recorded(
  [1, 2, 3, 4].map((at) => {
    const side: Outcomes = { decided: 100, settled: 100, requests: 100, failed: at, latency: [] };
    return { nowMs: SINCE_MS + at * 1_000, run: 1, runCanary: 100, stable: side, canary: side };
  }),
  4,
);

describe("a gap in recorded ticks", () => {
  test("is counted, and what follows is not judged until the next state", () => {
    const [first, , third, fourth] = four as [RecordedTick, RecordedTick, RecordedTick, RecordedTick];
    const whole = repeatAll(four);
    expect(types(whole.outcomes)).toEqual(["judged", "judged", "judged", "judged"]);
    const broken = repeatAll([first, third, fourth]);
    expect([types(broken.outcomes), broken.missing]).toEqual([["judged", "unknown", "unknown"], 1]);
    const state = judgeState(2);
    const mended = repeatAll([first, { ...third, state, policy: first.policy }, fourth]);
    expect([types(mended.outcomes), mended.missing]).toEqual([["judged", "judged", "judged"], 1]);
    expect(mended.outcomes.every((outcome) => outcome.type === "judged" && outcome.isEqual)).toBe(true);
  });

  test("at the begin is counted too", () => {
    expect(repeatAll(four.slice(2))).toEqual({ outcomes: [{ type: "unknown" }, { type: "unknown" }], missing: 2 });
  });
});

test("a verdict or a hash that differs is told, and a form of another version is not judged", () => {
  const [first] = four as [RecordedTick];
  const outcomeOf = (change: Partial<RecordedTick>): RepeatOutcome => repeat(NOTHING_REPEATED, { ...first, ...change }).outcome;
  expect(outcomeOf({ verdict: "rollback" })).toMatchObject({ type: "judged", isEqual: false });
  expect(outcomeOf({ inputs: "other" })).toMatchObject({ type: "judged", isEqual: false });
  expect(outcomeOf({ state: { version: 0 } })).toEqual({ type: "unknown" });
});

/** The judge's state after so many of the four. */
function judgeState(after: number): RecordedTick["state"] {
  let repeated = NOTHING_REPEATED;
  for (const tick of four.slice(0, after)) repeated = repeat(repeated, tick).after;
  return JSON.parse(JSON.stringify(repeated.known?.state));
}
