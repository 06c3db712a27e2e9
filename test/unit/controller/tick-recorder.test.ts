import { describe, expect, test, vi } from "vitest";
import { type RecordedTick, RecordedTickSchema } from "../../../src/contract/ticks.ts";
import { TickRecorder } from "../../../src/controller/tick-recorder.ts";
import { judge, startJudge } from "../../../src/core/judge/judge.ts";
import type { JudgePolicy } from "../../../src/core/judge/types.ts";
import { batchAt, failing, SINCE_MS, policy as standard } from "../../support/judge-inputs.ts";
import { liveOf, planState } from "./builders.ts";

/** A recorder with a store that takes, loses or keeps waiting as told, and a judge that it follows. */
function recording() {
  const stored: RecordedTick[] = [];
  const warn = vi.fn<(fields: { lost?: number }, message: string) => void>();
  let answer = (): Promise<void> => Promise.resolve();
  let state = startJudge(SINCE_MS);
  let at = 0;
  const ticks = {
    append: async (_: string, text: string): Promise<void> => {
      await answer();
      stored.push(RecordedTickSchema.parse(JSON.parse(text)));
    },
  };
  const recorder = new TickRecorder({ ticks, term: 7, log: { warn } as never }); // Only warnings are looked at.
  return {
    stored,
    warn,
    recorder,
    answers(next: () => Promise<void>) {
      answer = next;
    },
    async judge(change: { firstRun?: number; policy?: JudgePolicy } = {}) {
      at += 1_000;
      const policy = change.policy ?? standard;
      const batch = batchAt(at, { stable: failing(0, 100), canary: failing(0, 5) });
      const { state: after, record } = judge(policy, state, batch);
      recorder.record({
        name: "cart",
        live: liveOf("cart", { ...planState("stage"), firstRun: change.firstRun ?? 1 }),
        judging: { judged: { policy, before: state, batch, record } },
      });
      state = after;
      for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
    },
    marks: () => stored.map(({ sequence, state: known, policy }) => [sequence, known !== undefined, policy !== undefined]),
  };
}

describe("recorded ticks", () => {
  test("hold what the judge was given and what it said; the first of a term holds state and policy too", async () => {
    const play = recording();
    await play.judge();
    await play.judge();
    expect(play.marks()).toEqual([
      [1, true, true],
      [2, false, false],
    ]);
    expect(play.stored[0]).toMatchObject({ rollout: "cart", firstRun: 1, term: 7, state: startJudge(SINCE_MS), policy: standard });
    expect(play.stored[1]?.batch).toEqual(batchAt(2_000, { stable: failing(0, 100), canary: failing(0, 5) }));
  });

  test("count from 1 in each attempt, and begin it with a state", async () => {
    const play = recording();
    await play.judge();
    await play.judge({ firstRun: 5 });
    expect(play.marks()).toEqual([
      [1, true, true],
      [1, true, true],
    ]);
  });

  test("hold a policy where it changed", async () => {
    const play = recording();
    await play.judge();
    await play.judge({ policy: { ...standard, minSample: 99 } });
    await play.judge({ policy: { ...standard, minSample: 99 } });
    expect(play.marks().map(([, , policy]) => policy)).toEqual([true, true, false]);
  });

  test("hold a state again after a thousand, so that a replay can begin late", async () => {
    const play = recording();
    for (let count = 0; count < 1_001; count += 1) await play.judge();
    expect(play.marks().flatMap(([sequence, hasState]) => (hasState === true ? [sequence] : []))).toEqual([1, 1_001]);
  });

  test("leave out the number of one that was lost, and the next holds a state; it is said once at each end", async () => {
    const play = recording();
    await play.judge();
    play.answers(() => Promise.reject(new Error("away")));
    await play.judge();
    await play.judge();
    play.answers(() => Promise.resolve());
    await play.judge();
    await play.judge();
    expect(play.marks()).toEqual([
      [1, true, true],
      [4, true, true],
      [5, false, false],
    ]);
    expect(play.warn.mock.calls.map(([fields, message]) => [message, fields.lost])).toEqual([
      ["judged batch not recorded, `serin replay` will miss it", undefined],
      ["judged batches are recorded again", 2],
    ]);
  });

  test("wait for nobody: beyond a thousand on their way they are lost", async () => {
    const play = recording();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    play.answers(() => held);
    for (let count = 0; count < 1_002; count += 1) await play.judge();
    expect([play.stored.length, play.warn.mock.calls.length]).toEqual([0, 1]);
    release();
    await play.recorder.close();
    await play.judge();
    expect(play.stored.map(({ sequence }) => sequence).slice(-2)).toEqual([1_000, 1_003]);
  });
});
