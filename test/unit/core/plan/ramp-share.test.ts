import { describe, expect, test } from "vitest";
import { RAMP_PRESETS, type Ramp } from "../../../../src/contract/ramp.ts";
import { firstShareBp, isProven, nextShareBp, type RampMoment } from "../../../../src/core/plan/ramp.ts";

const ramp: Ramp = { startBp: undefined, ...RAMP_PRESETS.standard };

describe("the first share costs the budget of failed requests at most", () => {
  test.each([
    { title: "20 failed requests in 15 s, at 500 requests a second", requestsPerSecond: 500, shareBp: 26 },
    { title: "the least where there is more traffic than that", requestsPerSecond: 500_000, shareBp: 1 },
    { title: "the most where there is little", requestsPerSecond: 5, shareBp: 1_000 },
    { title: "the most where there is none", requestsPerSecond: 0, shareBp: 1_000 },
    { title: "the least where the traffic is not known", requestsPerSecond: undefined, shareBp: 1 },
  ])("$title: $shareBp", ({ requestsPerSecond, shareBp }) => {
    expect(firstShareBp(ramp, requestsPerSecond)).toBe(shareBp);
  });

  test("half of the budget, half of the share", () => {
    expect(firstShareBp({ ...ramp, budget: 10 }, 500)).toBe(13);
  });

  test("and is what the file says, where it says one", () => {
    expect(firstShareBp({ ...ramp, startBp: 300 }, 50_000)).toBe(300);
  });
});

const moment: RampMoment = {
  shareBp: 1_000,
  rampMs: 200_000,
  shareMs: 10_000,
  verdict: "advance",
  runSample: 1,
  safeShareBp: 10_000,
  odds: 1.5,
  requestsPerSecond: 500,
};

/** Something is proven and nothing speaks for harm, but no larger share is called safe. */
const calm = { odds: 0.99, verdict: "advance", safeShareBp: 0 } as const;

describe("the next share", () => {
  test.each<{ title: string; change: Partial<RampMoment>; next: number }>([
    {
      title: "goes to what the budget allows as soon as the traffic is known, without any outcome",
      change: { shareBp: 1, runSample: 0, verdict: "unknown", safeShareBp: 0, requestsPerSecond: 500 },
      next: firstShareBp(ramp, 500),
    },
    { title: "2.5 times the present one, when the evidence says so", change: {}, next: 2_500 },
    { title: "no more than the evidence calls safe", change: { safeShareBp: 1_800 }, next: 1_800 },
    { title: "no step of less than a fifth", change: { safeShareBp: 1_199 }, next: 1_000 },
    { title: "a step of a fifth", change: { safeShareBp: 1_200 }, next: 1_200 },
    { title: "half of the users at most", change: { shareBp: 2_500 }, next: 5_000 },
    { title: "half of the users also by a small step", change: { shareBp: 4_900 }, next: 5_000 },
    { title: "not at all from half of the users", change: { shareBp: 5_000 }, next: 5_000 },
    { title: "not at all within 10 s", change: { shareMs: 9_999 }, next: 1_000 },
    { title: "not at all on hold", change: { verdict: "hold" }, next: 1_000 },
    { title: "not at all on rollback, which the plan obeys otherwise", change: { verdict: "rollback" }, next: 1_000 },
    { title: "not at all at odds of 3 : 1", change: { odds: 3 }, next: 1_000 },
    { title: "as usual just below", change: { odds: 2.99 }, next: 2_500 },
    { title: "back to 10 % at odds of 5 : 1", change: { shareBp: 4_000, odds: 5, shareMs: 0 }, next: 1_000 },
    { title: "not up to 10 % at odds of 5 : 1", change: { shareBp: 300, odds: 5 }, next: 300 },
    { title: "10 % by the clock after three minutes", change: { shareBp: 500, verdict: "unknown", safeShareBp: 0 }, next: 1_000 },
    { title: "no more than 10 % by the clock", change: { verdict: "unknown", rampMs: 9e6 }, next: 1_000 },
    {
      title: "not at all by the clock without an outcome of the canary under this share",
      change: { shareBp: 500, verdict: "unknown", safeShareBp: 0, runSample: 0 },
      next: 500,
    },
    { title: "back all the same at odds of 5 : 1", change: { shareBp: 4_000, odds: 5, runSample: 0 }, next: 1_000 },
    { title: "nothing that unknown calls safe", change: { verdict: "unknown" }, next: 1_000 },
    { title: "by the clock half of the way in orders of size", change: { shareBp: 100, safeShareBp: 0, rampMs: 90_000 }, next: 161 },
    { title: "by the clock also 2.5 times at most", change: { shareBp: 30, safeShareBp: 0 }, next: 75 },
    {
      title: "half of the users by the clock two minutes later, in calm",
      change: { ...calm, shareBp: 2_500, rampMs: 300_000 },
      next: 5_000,
    },
    { title: "in calm half of the way there in half of the time", change: { ...calm, shareBp: 1_500, rampMs: 240_000 }, next: 2_236 },
    {
      title: "no more than 10 % by the clock while nothing is proven, also in calm",
      change: { ...calm, verdict: "unknown", rampMs: 9e6 },
      next: 1_000,
    },
    {
      title: "no more than 10 % by the clock while anything speaks for harm",
      change: { ...calm, odds: 1, rampMs: 9e6 },
      next: 1_000,
    },
    { title: "in calm no more than 10 % by the clock before", change: { ...calm, shareBp: 900, rampMs: 180_000 }, next: 900 },
    {
      title: "at once what the budget allows, where the traffic was not known",
      change: { shareBp: 10, safeShareBp: 0, rampMs: 10_000, requestsPerSecond: 50 },
      next: 266,
    },
    { title: "no less when a clock went back", change: { safeShareBp: 0, rampMs: -60_000 }, next: 1_000 },
  ])("$title", ({ change, next }) => {
    expect(nextShareBp(ramp, { ...moment, ...change })).toBe(next);
  });
});

describe("the ramp is over", () => {
  const proven = { ...moment, shareBp: 5_000, rampMs: 300_000 };
  test.each<{ title: string; change: Partial<RampMoment>; isOver: boolean }>([
    { title: "when the canary is proven safe for everybody, on half of the users, after its shortest time", change: {}, isOver: true },
    { title: "not before its shortest time", change: { rampMs: 299_999 }, isOver: false },
    { title: "not before half of the users", change: { shareBp: 4_999 }, isOver: false },
    { title: "not when proven for nearly everybody", change: { safeShareBp: 9_999 }, isOver: false },
    { title: "not in doubt", change: { odds: 3 }, isOver: false },
    { title: "not while the judge holds", change: { verdict: "hold" }, isOver: false },
  ])("$title", ({ change, isOver }) => {
    expect(isProven(ramp, { ...proven, ...change })).toBe(isOver);
  });
});
