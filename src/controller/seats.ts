import { type JudgeRecord, JudgeRecordSchema, type LiveState, LiveStateSchema } from "../contract/live.ts";
import { SUBJECTS } from "../contract/names.ts";
import type { Rollout } from "../contract/rollout.ts";
import { isEnded } from "../core/plan/ended.ts";
import { createSlices } from "../io/slices.ts";
import { decodeStored, type Plan } from "../io/store.ts";
import { inParallel } from "./in-parallel.ts";
import { type Judging, resumeJudging, type SourcedReport, startJudging } from "./judging.ts";
import type { TermParts } from "./ports.ts";
import { purgeState } from "./purge-state.ts";

/** One rollout as the leader holds it. Replaced values, never edited ones: what is here is what was written. */
export interface Seat {
  readonly name: string;
  rollout: Rollout;
  live: LiveState;
  judging: Judging;
  /** False until what the judge of the leader before knew is read, which takes longer than all else of a takeover. */
  isJudgeRead: boolean;
  /** Evidence that arrived and is not judged yet. */
  readonly reports: SourcedReport[];
  /** Monotonic time of the last written record of the judge, and whether there is something newer. */
  judgeWrittenMs: number;
  /** Monotonic time of the last judgement. */
  judgedMs: number;
  isJudgeDirty: boolean;
  /** A newer plan that waits until this one has ended. */
  next: Waiting | undefined;
}

/** A plan in the stream of plans that no live state obeys yet. */
export type Waiting = Omit<Plan, "atMs">;

/** A seat whose judge begins anew. */
export function newSeat(rollout: Rollout, live: LiveState, nowMs: number): Seat {
  const judging = startJudging(live.plan.firstRun, nowMs);
  return {
    name: live.rollout,
    rollout,
    live,
    judging,
    isJudgeRead: true,
    reports: [],
    judgeWrittenMs: 0,
    judgedMs: Number.NEGATIVE_INFINITY,
    isJudgeDirty: false,
    next: undefined,
  };
}

/** What a new leader finds: rollouts to go on with, and plans that were stored but never taken up. */
export interface Found {
  readonly seats: readonly Seat[];
  readonly unobeyed: readonly Readonly<{ name: string; plan: Plan }>[];
}

/** Reads all rollouts. One that cannot be read is left alone and said so; it must not keep the others from being led. */
export async function loadSeats(parts: TermParts): Promise<Found> {
  const { state, plans, log } = parts;
  const fromState = (await state.subjects(SUBJECTS.live("*"))).map((subject) => subject.slice(SUBJECTS.live("").length));
  const names = [...new Set([...fromState, ...(await plans.names())])].toSorted();
  const pause = createSlices();
  const found = await inParallel(names, async (name) => {
    try {
      const loaded = await loadSeat(parts, name);
      await pause();
      return { name, ...loaded };
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "CorruptValueError") throw error;
      log.error({ err: error, rollout: name }, "rollout unreadable, its users stay on stable");
      return { name, seat: undefined, newer: undefined };
    }
  });
  const seats = found.flatMap(({ seat }) => (seat === undefined ? [] : [seat]));
  const unobeyed = found.flatMap(({ name, newer }) => (newer === undefined ? [] : [{ name, plan: newer }]));
  return { seats, unobeyed };
}

async function loadSeat(parts: TermParts, name: string): Promise<{ seat: Seat | undefined; newer: Plan | undefined }> {
  const { state, plans, clock, log } = parts;
  const stored = await state.read(SUBJECTS.live(name));
  const last = await plans.last(name);
  if (stored === undefined) return { seat: undefined, newer: last };
  const live = decodeStored(LiveStateSchema, stored);
  const plan = last?.sequence === live.planSequence ? last : ((await plans.at(name, live.planSequence)) ?? last);
  if (plan === undefined && isEnded(live.plan.phase)) {
    log.info({ rollout: name }, "rollout was being deleted, finishing that");
    await purgeState(state, name);
    return { seat: undefined, newer: undefined };
  }
  if (plan === undefined) {
    log.error({ rollout: name }, "live state without a plan, its users stay on stable");
    return { seat: undefined, newer: undefined };
  }
  const seat = newSeat(plan.rollout, live, clock.nowMs());
  seat.isJudgeRead = false;
  return { seat, newer: last !== undefined && last.sequence > live.planSequence ? last : undefined };
}

/** Reads what the judge of the leader before knew, where that was not done yet: due before anything is made of evidence. */
export async function readJudging(parts: TermParts, seat: Seat): Promise<void> {
  if (seat.isJudgeRead) return;
  const judging = await loadJudging(parts, seat.live);
  seat.isJudgeRead = true;
  if (judging !== undefined) seat.judging = judging;
}

/** Without a usable record the judge begins anew from the cumulative evidence that comes in. */
async function loadJudging({ state, log, settings }: TermParts, { rollout, plan }: LiveState): Promise<Judging | undefined> {
  const stored = await state.read(SUBJECTS.judge(rollout));
  if (stored === undefined) return undefined;
  let record: JudgeRecord;
  try {
    record = decodeStored(JudgeRecordSchema, stored);
  } catch (error) {
    log.error({ err: error, rollout }, "judge's record unreadable, judging anew");
    return undefined;
  }
  return resumeJudging(record, plan.firstRun, settings.prometheus === undefined ? undefined : "prometheus");
}
