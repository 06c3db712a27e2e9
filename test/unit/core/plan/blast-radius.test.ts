import { describe, expect, test } from "vitest";
import type { FailingUsers } from "../../../../src/contract/failing-users.ts";
import type { Rollout } from "../../../../src/contract/rollout.ts";
import { type Cost, costOf, costTexts, spentText } from "../../../../src/core/plan/blast-radius.ts";
import { plan } from "../../../../src/core/plan/plan.ts";
import { events, rollout, SINCE_MS, states, summary } from "../../../support/plan-inputs.ts";

const sums = (stable: number, stableFailed: number, canary: number, canaryFailed: number) => ({
  stable: { requests: stable, failed: stableFailed },
  canary: { requests: canary, failed: canaryFailed },
});

const users = (stable: number, canary: number): FailingUsers => {
  const side = (newlyFailing: number) => ({ distinct: 99, newlyFailing, requests: 0, knownRequests: 0, isExact: true });
  return { known: 0, stable: side(stable), canary: side(canary) };
};

describe("what a canary costs", () => {
  test.each([
    ["is all of its failures where stable has none", sums(900, 0, 100, 7), 7],
    ["is what stable would not have failed", sums(900, 18, 100, 7), 5],
    ["is nothing where stable fails as much", sums(900, 90, 100, 7), 0],
    ["is all of its failures where stable got nothing", sums(0, 0, 100, 7), 7],
    ["counts whole requests", sums(900, 1, 100, 7), 6],
  ] as const)("%s", (_, totals, failedRequests) => {
    expect(costOf(totals)).toEqual({ failedRequests, failedUsers: 0 });
  });

  test("counts users that would not have failed on stable either", () => {
    expect(costOf(sums(900, 0, 100, 0), users(9, 4))).toEqual({ failedRequests: 0, failedUsers: 3 });
  });
});

test.each([
  [{ failedRequests: 10, failedUsers: undefined }, { failedRequests: 9, failedUsers: 99 }, undefined],
  [{ failedRequests: 10, failedUsers: undefined }, { failedRequests: 10, failedUsers: 0 }, "10 of 10 failed requests"],
  [{ failedRequests: 10, failedUsers: 3 }, { failedRequests: 2, failedUsers: 4 }, "2 of 10 failed requests, 4 of 3 newly failing users"],
])("%o allows %o: %s", (allowed, cost: Cost, expected) => {
  expect(spentText(allowed, cost)).toBe(expected === undefined ? undefined : `its blast radius is spent: ${expected}`);
  expect(costTexts({ failedRequests: undefined, failedUsers: undefined }, cost)).toEqual([]);
});

describe("a rollout whose blast radius is spent", () => {
  const limited: Rollout = { ...rollout, blastRadius: { failedRequests: 10 } };
  const at = (known: Rollout, state: keyof typeof states, event: keyof typeof events, failedRequests = 10): string =>
    summary(plan(known, states[state], events[event], { nowMs: SINCE_MS, cost: { failedRequests, failedUsers: 0 } }));
  const back = "rollingBack, run 8; serve 0 off as run 8; rollback";

  test.each([
    ["stage", "advance", back],
    ["paused", "tick", back],
    ["promoted", "tick", back],
    ["stage", "promote", "stage 2, run 8; serve 5000 as run 8; stage"],
    ["rollingBack", "tick", "rollingBack, run 7"],
    ["handedOver", "tick", "handedOver, run 7"],
  ] as const)("in %s on %s: %s", (state, event, expected) => {
    expect(at(limited, state, event)).toBe(expected);
  });

  test("goes on while something is left, where nothing is limited, and where nothing is known", () => {
    const rest = [at(limited, "stage", "tick", 9), at(rollout, "stage", "tick")];
    expect([...rest, summary(plan(limited, states.stage, events.tick, { nowMs: SINCE_MS }))]).toEqual(
      Array.from({ length: 3 }, () => "stage 1, run 7"),
    );
  });

  test("that is only observed stays, and says so", () => {
    expect(at({ ...limited, mode: "observe" }, "stage", "tick")).toBe("stage 1, run 7; would");
  });
});
