import { describe, expect, test } from "vitest";
import type { OutcomeClass } from "../../../src/contract/evidence.ts";
import { createReflex } from "../../../src/sidecar/reflex.ts";

const RULE = { failures: 3, users: 2 };

/** A watcher of one rollout under run 5, in time that the test moves. */
function watched() {
  const stopped: object[] = [];
  let atMs = 100_000;
  const reflex = createReflex({
    nowMs: () => atMs,
    ruleOf: (rollout, run) => (rollout === "cart" && run === 5 && stopped.length === 0 ? RULE : undefined),
    stop: (rollout, streak) => void stopped.push({ rollout, ...streak }),
  });
  const ended = (variant: string, kind: OutcomeClass, bucket?: number, run = 5): void =>
    reflex.ended({ rollout: "cart", run, control: false, variant, class: kind, bucket });
  return {
    stopped,
    pass: (ms: number) => {
      atMs += ms;
    },
    stable: (ok: number, failed = 0) => {
      for (let count = 0; count < ok; count += 1) ended("stable", "ok", count);
      for (let count = 0; count < failed; count += 1) ended("stable", "failed", count);
    },
    canary: (kind: OutcomeClass, ...buckets: (number | undefined)[]) => {
      for (const bucket of buckets) ended("canary", kind, bucket);
    },
    ended,
  };
}

describe("a canary that fails one request after the other", () => {
  test("is stopped once, by so many failures of so many users, while stable is well", () => {
    const { stable, canary, stopped } = watched();
    stable(10);
    canary("failed", 1, 2);
    expect(stopped).toEqual([]);
    canary("failed", 1, 2, 3);
    expect(stopped).toEqual([{ rollout: "cart", failures: 3, users: 2 }]);
  });

  test.each([
    ["one user alone fails", (run: ReturnType<typeof watched>) => run.canary("failed", 7, 7, 7, 7)],
    ["nobody has a key", (run: ReturnType<typeof watched>) => run.canary("failed", undefined, undefined, undefined)],
    [
      "an answer came between",
      (run: ReturnType<typeof watched>) => {
        run.canary("failed", 1, 2);
        run.canary("ok", 3);
        run.canary("failed", 4, 5);
      },
    ],
    ["its clients left", (run: ReturnType<typeof watched>) => run.canary("aborted", 1, 2, 3)],
    [
      "its failures are of another run",
      (run: ReturnType<typeof watched>) => {
        for (const user of [1, 2, 3]) run.ended("canary", "failed", user, 4);
      },
    ],
  ])("is left to the judge where %s", (_, play) => {
    const run = watched();
    run.stable(10);
    play(run);
    expect(run.stopped).toEqual([]);
  });
});

describe("stable", () => {
  test.each([
    ["too little is known of it", (run: ReturnType<typeof watched>) => run.stable(9)],
    ["more than a tenth of it fails", (run: ReturnType<typeof watched>) => run.stable(17, 2)],
    [
      "it was last heard long ago",
      (run: ReturnType<typeof watched>) => {
        run.stable(10);
        run.pass(10_000);
      },
    ],
  ])("is no reason to stop the canary where %s", (_, play) => {
    const run = watched();
    play(run);
    run.canary("failed", 1, 2, 3);
    expect(run.stopped).toEqual([]);
  });

  test("is known from the last 5 to 10 s, and when it is well again the next failure stops the canary", () => {
    const run = watched();
    run.stable(0, 10);
    run.canary("failed", 1, 2, 3);
    run.pass(5_000);
    run.stable(10);
    run.canary("failed", 4);
    expect(run.stopped).toEqual([]);
    run.pass(5_000);
    run.canary("failed", 5);
    expect(run.stopped).toEqual([{ rollout: "cart", failures: 5, users: 2 }]);
  });
});
