import type { JudgeRecord, Totals } from "../contract/live.ts";
import { LATENCY_BOUNDS_MS } from "../contract/names.ts";
import { type EvidenceBatch, type Outcomes, sideOf } from "../core/judge/types.ts";
import type { Delta } from "./evidence-deltas.ts";

/** What `status` shows of the evidence, summed over the rollout. */
export interface Tally {
  readonly totals: JudgeRecord["totals"];
  /** Decisions of one run: the share that users really see, and how many of the canary's another cluster answered since this leader leads. */
  readonly seen: Readonly<{ run: number; canary: number; all: number; elsewhere: number }>;
}

const nothing: Totals = { decided: 0, settled: 0, requests: 0, failed: 0 };

const nothingSeen = (run: number) => ({ run, canary: 0, all: 0, elsewhere: 0 });

/** A tally before any evidence. */
export const emptyTally = (run: number): Tally => ({
  totals: { stable: nothing, canary: nothing, control: nothing },
  seen: nothingSeen(run),
});

/** Adds new counts. Control is a part of stable, and is counted apart besides. `run` is the one in force. */
export function addToTally(tally: Tally, found: readonly Delta[], run: number): Tally {
  const seen = tally.seen.run === run ? { ...tally.seen } : nothingSeen(run);
  const totals = { stable: { ...tally.totals.stable }, canary: { ...tally.totals.canary }, control: { ...tally.totals.control } };
  for (const { measure, variant, control, run: decidedBy, values } of found) {
    const count = values[0] ?? 0;
    const side = sideOf(variant);
    const sides = control && side === "stable" ? [totals.stable, totals.control] : [totals[side]];
    for (const side of sides) addCount(side, measure, count);
    if (measure === "decided" && decidedBy === run) {
      seen.all += count;
      if (side === "canary") seen.canary += count;
    }
    if (measure === "elsewhere" && decidedBy === run) seen.elsewhere += count;
  }
  return { totals, seen };
}

function addCount(side: Totals, measure: Delta["measure"], count: number): void {
  switch (measure) {
    case "decided":
    case "settled":
      side[measure] += count;
      return;
    case "failed":
      side.failed += count;
      side.requests += count;
      return;
    case "ok":
      side.requests += count;
      return;
    case "elsewhere":
    case "latency":
      return;
  }
}

/** Canary's part of the decisions of the current run, in basis points; null without any. */
export const shareSeenBp = ({ seen }: Tally): number | null => (seen.all === 0 ? null : Math.round((seen.canary / seen.all) * 10_000));

/** The judge's view of new counts: all of stable, the control slice included, against the canary. */
export function batchOf(found: readonly Delta[], run: number, nowMs: number): EvidenceBatch {
  const stable = outcomesOf(found.filter(({ variant }) => sideOf(variant) === "stable"));
  const ofCanary = found.filter(({ variant }) => sideOf(variant) === "canary");
  const canary = outcomesOf(ofCanary);
  const runCanary = outcomesOf(ofCanary.filter((delta) => delta.run === run)).requests;
  return { nowMs, run, runCanary, stable, canary };
}

function outcomesOf(found: readonly Delta[]): Outcomes {
  const latency = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);
  const totals = { ...nothing };
  for (const { measure, values } of found) {
    if (measure === "latency") for (const [bucket, count] of values.entries()) latency[bucket] = (latency[bucket] ?? 0) + count;
    else addCount(totals, measure, values[0] ?? 0);
  }
  return { ...totals, latency };
}
