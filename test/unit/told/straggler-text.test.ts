import { expect, test } from "vitest";
import { NOBODY, type PlanState } from "../../../src/contract/live.ts";
import { stragglerRule } from "../../../src/contract/stragglers.ts";
import { stragglerLines, stragglersOf } from "../../../src/told/straggler-text.ts";

const served = { run: 7, firstRun: 5, sinceMs: 10_000 };
const stage: PlanState = { phase: "stage", ...served, stage: 1, begunAtMs: null, missing: ["s1", "s2"] };
const entry = { firstSeenMs: 0, startedAtMs: 0 };
const fleet = { format: 1, sidecars: { s1: entry, s2: { ...entry, silentSinceMs: 5_000 } } } as const;

const linesOf = (plan: PlanState, rule = stragglerRule({})): string[] =>
  stragglerLines({ plan, stragglers: stragglersOf(plan, fleet), stragglerRule: rule }, 75_000);

test("a picture names who is waited for, since when, and since when each is silent", () => {
  expect(stragglersOf({ ...stage, without: ["s3"] }, fleet)).toEqual([
    { sidecar: "s1", sinceMs: 10_000, silentSinceMs: null, isLeftBehind: false },
    { sidecar: "s2", sinceMs: 10_000, silentSinceMs: 5_000, isLeftBehind: false },
    { sidecar: "s3", sinceMs: 10_000, silentSinceMs: null, isLeftBehind: true },
  ]);
});

test("nobody is named where nothing is waited for, or nobody is known", () => {
  expect(stragglersOf({ ...stage, begunAtMs: 20_000 }, fleet)).toEqual([]);
  expect(stragglersOf({ phase: "pending", ...served, missing: [NOBODY] }, undefined)).toEqual([]);
});

test.each([
  ["wait", "waits for 1 min 5 s for s1, s2 (silent for 1 min 10 s); it waits until the deadline of its phase"],
  ["goOn", "waits for 1 min 5 s for s1, s2 (silent for 1 min 10 s); after 2m it goes on without"],
  ["rollback", "waits for 1 min 5 s for s1, s2 (silent for 1 min 10 s); after 2m it rolls back"],
] as const)("the rule %s is told with whom it is about", (then, line) => {
  expect(linesOf(stage, { after: 120_000, action: then })).toEqual([line]);
});

test("of one that was left behind it says so", () => {
  expect(linesOf({ ...stage, begunAtMs: 20_000, without: ["s2"] })).toEqual([
    "goes on without s2 (silent for 1 min 10 s), which did not confirm in time",
  ]);
});

const back: Extract<PlanState, { phase: "rolledBack" }> = { phase: "rolledBack", ...served, reason: "errors", stragglers: ["s2"] };
test.each([
  [back, "a sidecar that hears nothing for 30s sends its shares to stable"],
  [{ ...back, isHeld: true }, "a sidecar that hears nothing keeps the canary"],
] as const)("after the way back it says that it does not know what a straggler serves", (plan, what) => {
  expect(linesOf(plan)).toEqual([`not known what s2 (silent for 1 min 10 s) serves: no word of the way back for 1 min 5 s; ${what}`]);
});
