import type { Tick, TickSide, TickStart } from "../../contract/ticks.ts";
import type { EvidenceBatch, FailedUsers, Half, Outcomes } from "./types.ts";

/** When ticks are: the Unix milliseconds of `sec` 0, and a tick's length in milliseconds. */
export interface TickClock {
  readonly zeroMs: number;
  readonly tickMs: number;
}

/** What is known when the rollout begins. */
export interface TicksBegin {
  readonly boundsMs: readonly number[];
  readonly clock: TickClock;
  /** Begin of the evidence, and of the rollout, Unix milliseconds. */
  readonly sinceMs: number;
  readonly beginMs: number;
  /** Stable alone, before the rollout. */
  readonly history: readonly EvidenceBatch[];
}

const NOTHING: Outcomes = { decided: 0, settled: 0, requests: 0, failed: 0, latency: [] };

/** Run that the history counts under: none that a plan gives. */
const BEFORE = 0;

/**
 * Reads the first line of recorded ticks; `rolloutSec` is the begin of the first tick after the history. Times count from the first
 * tick of the history where that lies before 0, since no clock of a judge does.
 */
export function startOf({ tickS, bounds, history }: TickStart, rolloutSec = 0): TicksBegin {
  const tickMs = tickS * 1_000;
  const firstMs = Math.round((history[0]?.sec ?? rolloutSec) * 1_000);
  const clock = { zeroMs: Math.max(0, -firstMs), tickMs };
  const batches = history.map(({ sec, stable, stable_split }) => ({
    nowMs: endMs(clock, sec),
    run: BEFORE,
    runCanary: 0,
    stable: outcomesOf(stable),
    canary: NOTHING,
    ...halvesOf(stable_split),
  }));
  const sinceMs = clock.zeroMs + firstMs;
  return { boundsMs: bounds, clock, sinceMs, beginMs: batches.at(-1)?.nowMs ?? sinceMs, history: batches };
}

/** One tick as the judge takes it: all of the canary was decided under `run`, and all that ended was decided in the same tick. */
export function batchOfTick({ sec, weight, stable, canary, stable_split }: Tick, clock: TickClock, run: number): EvidenceBatch {
  return {
    nowMs: endMs(clock, sec),
    run,
    runCanary: canary.n,
    stable: outcomesOf(stable),
    canary: outcomesOf(canary),
    split: { shareBp: Math.round(weight * 10_000), canary: canary.n, all: stable.n + canary.n },
    ...halvesOf(stable_split),
  };
}

const endMs = ({ zeroMs, tickMs }: TickClock, sec: number): number => Math.round(zeroMs + sec * 1_000 + tickMs);

const outcomesOf = (side: TickSide): Outcomes => ({ decided: side.n, settled: side.n, ...halfOf(side) });

const halfOf = (side: TickSide): Half => ({ requests: side.n, failed: side.errors, latency: side.hist, ...usersOf(side) });

/** Users are known whole or not at all. */
function usersOf({ new_failed_keys: newly, known_errors: knownRequests }: TickSide): { users?: FailedUsers } {
  return newly === undefined || knownRequests === undefined ? {} : { users: { newly, knownRequests } };
}

const halvesOf = (split: Tick["stable_split"]): Pick<EvidenceBatch, "halves"> =>
  split === undefined ? {} : { halves: { hosts: halfOf(split[0]) } };
