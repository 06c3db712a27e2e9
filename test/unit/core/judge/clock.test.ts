import { expect, test } from "vitest";
import { earlier } from "../../../../src/core/judge/clock.ts";
import { judge } from "../../../../src/core/judge/judge.ts";
import { batchAt, failing, judgeAll, policy, repeated } from "../../../support/judge-inputs.ts";

const AHEAD_MS = 500_000;

test("a state whose instants are all earlier judges as the one before, so much earlier", () => {
  const { state } = judgeAll(repeated(20, { stable: failing(1, 900), canary: failing(0, 100) }));
  const batch = batchAt(21_000, { stable: failing(1, 900), canary: failing(3, 100) });
  const now = judge(policy, state, batch);
  const before = judge(policy, earlier(state, AHEAD_MS), { ...batch, nowMs: batch.nowMs - AHEAD_MS });
  const { inputs: _, ...record } = earlier(now.record, AHEAD_MS);
  expect(before.record).toMatchObject(record);
  expect(before.state.metrics["errors"]?.harm).toEqual(now.state.metrics["errors"]?.harm);
});

test("only instants are earlier: what lasts, and what is no number, stays", () => {
  const known = { sinceMs: 5_000, canaryAtMs: null, rate: { ms: 3 }, marks: [{ atMs: 6_000, decided: 2 }], text: "atMs" };
  expect(earlier(known, 1_000)).toEqual({ ...known, sinceMs: 4_000, marks: [{ atMs: 5_000, decided: 2 }] });
});
