import type { HalfName } from "../contract/evidence.ts";
import type { JudgeRecord, Totals } from "../contract/live.ts";
import { LATENCY_BOUNDS_MS } from "../contract/names.ts";
import { type EvidenceBatch, type Halves, type Outcomes, sideOf } from "../core/judge/types.ts";
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

/** Halves are parts of what is counted already. */
const wholes = (found: readonly Delta[]): readonly Delta[] => found.filter(({ half }) => half === undefined);

/** Adds new counts. Control is a part of stable, and is counted apart besides. `run` is the one in force. */
export function addToTally(tally: Tally, found: readonly Delta[], run: number): Tally {
  const seen = tally.seen.run === run ? { ...tally.seen } : nothingSeen(run);
  const totals = { stable: { ...tally.totals.stable }, canary: { ...tally.totals.canary }, control: { ...tally.totals.control } };
  for (const { measure, variant, control, run: decidedBy, values } of wholes(found)) {
    const count = values[0] ?? 0;
    const side = sideOf(variant);
    const sides = control && side === "stable" ? [totals.stable, totals.control] : [totals[side]];
    for (const side of sides) addCount(side, measure, count);
    if ((measure === "decided" || measure === "shared") && decidedBy === run) {
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
    case "shared":
      side.decided += count;
      return;
    case "settled":
      side.settled += count;
      return;
    case "failed":
      side.failed += count;
      side.requests += count;
      return;
    case "ok":
    case "refused":
      side.requests += count;
      return;
    case "elsewhere":
    case "latency":
      return;
  }
}

/** Canary's part of the decisions of the current run, in basis points; null without any. */
export const shareSeenBp = ({ seen }: Tally): number | null => (seen.all === 0 ? null : Math.round((seen.canary / seen.all) * 10_000));

/** The judge's view of new counts: all of stable, the control slice included, against the canary; `shareBp` is the canary's under the run. */
export function batchOf(
  found: readonly Delta[],
  { run, shareBp }: Readonly<{ run: number; shareBp: number }>,
  nowMs: number,
): EvidenceBatch {
  const ofStable = found.filter(({ variant }) => sideOf(variant) === "stable");
  const ofCanary = wholes(found).filter(({ variant }) => sideOf(variant) === "canary");
  const stable = outcomesOf(wholes(ofStable));
  const canary = outcomesOf(ofCanary);
  const runCanary = outcomesOf(ofCanary.filter((delta) => delta.run === run)).requests;
  const split = { shareBp, canary: sharedUnder(run, ofCanary), all: sharedUnder(run, found) };
  return {
    nowMs,
    run,
    runCanary,
    stable,
    canary,
    split,
    halves: { ...halfOf("hosts", ofStable, stable), ...halfOf("keys", ofStable, stable) },
  };
}

/** Decisions by share of a run. */
const sharedUnder = (run: number, found: readonly Delta[]): number =>
  found.reduce((sum, delta) => sum + (delta.measure === "shared" && delta.run === run ? Number(delta.values[0]) : 0), 0);

/** One half of stable. None where sidecars tell of none, or of more than the whole has: then the two were not counted from the same time on. */
function halfOf(name: HalfName, found: readonly Delta[], whole: Outcomes): Halves {
  const ofHalf = found.filter(({ half }) => half === name);
  const { requests, failed, latency } = outcomesOf(ofHalf);
  const isPart =
    failed <= whole.failed &&
    requests - failed <= whole.requests - whole.failed &&
    latency.every((count, bucket) => count <= Number(whole.latency[bucket]));
  return ofHalf.length > 0 && isPart ? { [name]: { requests, failed, latency } } : {};
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
