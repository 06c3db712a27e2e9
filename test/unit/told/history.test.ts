import { describe, expect, test } from "vitest";
import { historyText } from "../../../src/cli/history.ts";
import type { Audit } from "../../../src/contract/messages.ts";
import type { VerdictRecord } from "../../../src/contract/verdict.ts";
import { historyOf } from "../../../src/told/history.ts";

const ann = { name: "ann", claimed: true };
const leader = { name: "controller a", claimed: false };

const line = (action: string, atMs: number, change: Partial<Audit> = {}): Audit => ({
  format: 1,
  id: `${action}-${atMs}`,
  atMs,
  rollout: "cart",
  action,
  who: leader,
  run: 1,
  shareBp: 0,
  attempt: 1,
  ...change,
});

const verdict = {
  verdict: "rollback",
  reason: "errors",
  proven: "",
  odds: 340,
  alpha: 0.01,
  safeShareBp: 0,
  checks: [],
  unended: { stable: 0, canary: 0 },
  atMs: 61_000,
  sinceMs: 0,
  run: 2,
  runSample: 100,
  inputs: "",
} satisfies VerdictRecord;

const bad: readonly Audit[] = [
  line("apply", 1_000, { who: ann, reason: "ticket 17" }),
  line("stage", 2_000, { run: 2, shareBp: 500 }),
  line("rollback", 61_000, { run: 3, reason: "errors", detail: verdict }),
  line("rolledBack", 62_000, { run: 3, reason: "every known sidecar serves stable (errors)" }),
];
const second = { attempt: 4, run: 4 };
const good: readonly Audit[] = [
  line("apply", 100_000, { ...second, who: ann }),
  line("promoted", 200_000, { ...second, run: 6, shareBp: 10_000, reason: "all serve 100%" }),
  line("handedOver", 260_000, { ...second, run: 6, who: ann, reason: "stable runs it" }),
  line("segment", 300_000, { ...second, run: 6, reason: "segment testers" }),
];

describe("the history of a rollout", () => {
  test("tells its attempts, the newest first, with who, why, how long and the last verdict", () => {
    const { attempts } = historyOf("cart", [...bad, ...good]);
    expect(attempts.map(({ steps, ...attempt }) => ({ ...attempt, steps: steps.length }))).toEqual([
      {
        attempt: 4,
        runs: 3,
        who: ann,
        beganAtMs: 100_000,
        outcome: "handedOver",
        endedAtMs: 260_000,
        lastedMs: 160_000,
        why: "stable runs it",
        by: ann,
        topShareBp: 10_000,
        verdict: null,
        steps: 4,
      },
      {
        attempt: 1,
        runs: 3,
        who: ann,
        reason: "ticket 17",
        beganAtMs: 1_000,
        outcome: "rolledBack",
        endedAtMs: 62_000,
        lastedMs: 61_000,
        why: "errors",
        by: leader,
        topShareBp: 500,
        verdict: { verdict: "rollback", reason: "errors", atMs: 61_000 },
        steps: 4,
      },
    ]);
  });

  test.each([
    { title: "under way", lines: bad.slice(0, 2), outcome: "running", endedAtMs: null },
    { title: "on its way back", lines: bad.slice(0, 3), outcome: "running", endedAtMs: null },
    { title: "promoted", lines: good.slice(0, 2), outcome: "promoted", endedAtMs: null },
    {
      title: "promoted, and taken back after all",
      lines: [...good.slice(0, 2), line("rollback", 210_000, second), line("rolledBack", 211_000, second)],
      outcome: "rolledBack",
      endedAtMs: 211_000,
    },
  ])("knows an attempt $title", ({ lines, outcome, endedAtMs }) => {
    expect(historyOf("cart", lines).attempts).toMatchObject([{ outcome, endedAtMs }]);
  });

  test("parts attempts by `apply` where older leaders named none", () => {
    const older = [...bad, ...good].map(({ attempt: _, ...rest }) => rest);
    expect(historyOf("cart", older).attempts.map(({ attempt }) => attempt)).toEqual([4, 1]);
  });

  test("of nothing is empty", () => {
    expect(historyOf("cart", [])).toEqual({ rollout: "cart", attempts: [] });
  });

  test("reads well, with every step where it is asked for", () => {
    expect(historyText(historyOf("cart", bad), true).split("\n")).toEqual([
      "cart: 1 attempt",
      "",
      "rolled back after 1 min 1 s: errors (controller a)",
      "  began 1970-01-01 00:00:01 UTC by ann (claimed): ticket 17",
      "  runs 1 to 3, at most 5 %",
      "  last verdict rollback: errors",
      "  1970-01-01 00:00:01 UTC apply, run 1, 0 %, by ann (claimed): ticket 17",
      "  1970-01-01 00:00:02 UTC stage, run 2, 5 %, by controller a",
      "  1970-01-01 00:01:01 UTC rollback, run 3, 0 %, by controller a: errors",
      "  1970-01-01 00:01:02 UTC rolledBack, run 3, 0 %, by controller a: every known sidecar serves stable (errors)",
      "",
    ]);
    expect(historyText(historyOf("cart", [...bad, ...good]), false).split("\n")[0]).toBe("cart: 2 attempts, newest first");
  });
});
