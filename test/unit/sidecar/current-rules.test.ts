import { describe, expect, test } from "vitest";
import { compile } from "../../../src/core/decide/compile.ts";
import { decide } from "../../../src/core/decide/decide.ts";
import { createCurrentRules, isSplit } from "../../../src/sidecar/current-rules.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";

const at = (revision: number, shareBp = 10_000) => ({ ...ruleSetOf({ checkout: ruleOf({}, { shareBp, run: revision }) }), revision });
const user = factsOf({ headers: [["x-user-id", "u1"]] });

describe("the rules in force", () => {
  test("are empty at first: stable for all", () => {
    expect(decide(createCurrentRules(() => 0).compiled(), user)).toMatchObject({ variant: "stable", reason: "no rollout" });
  });

  test("never step back, neither by revision nor by epoch", () => {
    const rules = createCurrentRules(() => 0);
    expect([rules.offer(at(5)), rules.offer(at(5)), rules.offer(at(4)), rules.offer({ ...at(9), epoch: 3 }), rules.offer(at(6))]).toEqual([
      true,
      false,
      false,
      false,
      true,
    ]);
    expect(rules.ruleSet().revision).toBe(6);
  });

  test("give nobody another variant by share outside of the groups that are on, and count as live there all the same", () => {
    const grouped = ruleSetOf({ checkout: ruleOf({}, { shareBp: 10_000, groups: "zone=a" }) });
    const seenIn = (zone: string, isChange = false): readonly unknown[] => {
      const rules = createCurrentRules(() => 0, undefined, { zone });
      const { epoch, revision, rollouts } = compile(grouped);
      const change = {
        epoch,
        revision,
        changed: new Map([...rollouts.values()].map((rollout) => [rollout.name, rollout] as const)),
        removed: new Set<string>(),
      };
      rules.offer(isChange ? change : grouped);
      return [decide(rules.compiled(), user).variant, isSplit(rules.compiled())];
    };
    expect([seenIn("a"), seenIn("b")]).toEqual([
      ["canary", true],
      ["stable", true],
    ]);
    expect([seenIn("a", true), seenIn("b", true)]).toEqual([seenIn("a"), seenIn("b")]);
  });

  test("that are not whole are obeyed at once, and completed under their own revision", () => {
    let now = 1_000;
    const rules = createCurrentRules(() => now);
    const offer = (revision: number, segments: string[], rollouts: string[]): readonly unknown[] => {
      now += 1_000;
      const isTaken = rules.offer(at(revision), { segments, rollouts });
      return [isTaken, rules.compiled().revision, rules.ruleSet().revision, rules.sinceMs()];
    };
    expect(offer(1, [], [])).toEqual([true, 1, 1, 2_000]);
    // What waits for a segment that nobody knows keeps the revision from being told as obeyed; an older version of one does not.
    expect(offer(2, ["testers"], ["search"])).toEqual([true, 2, 1, 2_000]);
    expect(offer(3, ["testers"], [])).toEqual([true, 3, 3, 4_000]);
    expect(offer(2, [], [])).toEqual([false, 3, 3, 4_000]);
    expect(offer(3, [], [])).toEqual([true, 3, 3, 4_000]);
    expect(offer(3, [], [])).toEqual([false, 3, 3, 4_000]);
  });

  test("stop a canary here until a new run, whatever comes meanwhile", () => {
    const rules = createCurrentRules(() => 7_000);
    let told = 0;
    rules.onChange(() => {
      told += 1;
    });
    const next = (run: number, revision: number) => ({
      ...at(revision),
      ...ruleSetOf({ checkout: ruleOf({}, { shareBp: 10_000, run }) }),
      revision,
    });
    rules.offer(next(5, 5));
    rules.stop("nobody", { failures: 5, users: 3 });
    rules.stop("checkout", { failures: 5, users: 3 });
    rules.stop("checkout", { failures: 6, users: 3 });
    expect([told, rules.stopped()]).toEqual([2, [{ rollout: "checkout", run: 5, atMs: 7_000, failures: 5, users: 3 }]]);
    expect(decide(rules.compiled(), user)).toMatchObject({ variant: "stable", reason: "off", run: 5 });
    rules.offer(next(5, 6));
    rules.replace(next(5, 7));
    expect(decide(rules.compiled(), user)).toMatchObject({ variant: "stable", reason: "off" });
    rules.offer(next(6, 8));
    expect([decide(rules.compiled(), user).variant, rules.stopped()]).toEqual(["canary", []]);
  });

  test("take a file's word whatever its revision", () => {
    const rules = createCurrentRules(() => 0);
    rules.replace(at(5));
    rules.replace(at(1));
    expect(rules.ruleSet().revision).toBe(1);
  });

  test("tell since when, and that they are fresh for a minute", () => {
    let now = 1_000;
    const rules = createCurrentRules(() => now);
    expect(rules.isFresh()).toBe(false);
    now = 5_000;
    rules.offer(at(1));
    expect([rules.sinceMs(), rules.isFresh()]).toEqual([5_000, true]);
    now = 65_000;
    expect(rules.isFresh()).toBe(false);
  });

  test("send shares home while nobody watches, and bring them back", () => {
    const rules = createCurrentRules(() => 0);
    rules.offer(at(1));
    const held = rules.compiled();
    rules.setUnwatched(true);
    expect(decide(rules.compiled(), user)).toMatchObject({ variant: "stable", reason: "unwatched" });
    // A stream that began before goes on as it began.
    expect(decide(held, user)).toMatchObject({ variant: "canary" });
    rules.setUnwatched(false);
    expect(decide(rules.compiled(), user)).toMatchObject({ variant: "canary", reason: "share" });
  });

  test("that nobody watches are never served, not even for a moment", () => {
    const rules = createCurrentRules(
      () => 0,
      () => true,
    );
    rules.offer(at(1));
    expect(decide(rules.compiled(), user)).toMatchObject({ variant: "stable", reason: "unwatched" });
  });
});

describe("a rule set that is refused", () => {
  test("is counted each time and new once", () => {
    const rules = createCurrentRules(() => 0);
    expect([rules.reject("bad"), rules.reject("bad"), rules.reject("worse")]).toEqual([true, false, true]);
    expect(rules.rejected()).toEqual({ count: 3, problem: "worse" });
  });

  test("is a problem until newer rules are in force, or those in force are seen whole again", () => {
    const rules = createCurrentRules(() => 0);
    rules.offer(at(1));
    rules.reject("bad");
    rules.offer(at(2));
    expect(rules.rejected()).toEqual({ count: 1, problem: undefined });
    rules.reject("bad");
    rules.confirm({ epoch: at(1).epoch, revision: 1 });
    expect(rules.rejected().problem).toBe("bad");
    rules.confirm({ epoch: at(2).epoch, revision: 2 });
    expect(rules.rejected()).toEqual({ count: 2, problem: undefined });
  });
});

test("listeners hear every change until they stop", () => {
  const rules = createCurrentRules(() => 0);
  let heard = 0;
  const stop = rules.onChange(() => {
    heard += 1;
  });
  rules.offer(at(1));
  rules.offer(at(1));
  rules.reject("bad");
  rules.reject("bad");
  rules.setUnwatched(true);
  rules.setUnwatched(true);
  stop();
  rules.offer(at(2));
  expect(heard).toBe(3);
});

test.each([
  { shareBp: 0, off: false, split: false },
  { shareBp: 1, off: false, split: true },
  { shareBp: 9_999, off: false, split: true },
  { shareBp: 10_000, off: false, split: false },
  { shareBp: 5_000, off: true, split: false },
])("at $shareBp bp, off $off, a run is being judged: $split", ({ shareBp, off, split }) => {
  expect(isSplit(compile(ruleSetOf({ checkout: ruleOf({}, { shareBp, off }) })))).toBe(split);
});
