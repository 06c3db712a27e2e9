import { BLOCK_MS, BLOCKS, DISPERSION } from "./parameters.ts";
import type { DispersionState } from "./state.ts";

/** Hits of one half of stable and of all of it, in one batch. */
export interface HalfCounts {
  readonly halfHits: number;
  readonly half: number;
  readonly hits: number;
  readonly all: number;
}

const NOTHING: HalfCounts = { halfHits: 0, half: 0, hits: 0, all: 0 };

type Length = DispersionState["lengths"][number];

/** Nothing known of the halves. */
export function startDispersion(): DispersionState {
  const lengths = BLOCKS.map(() => ({ open: NOTHING, unevenness: 0, expected: 0 }));
  return { slot: 0, open: NOTHING, lengths, outcomesAsOne: largestOf(lengths), isKnown: false };
}

/**
 * Takes a batch in. Blocks lie on the clock, so that it does not matter how batches cut the time: a block that is over is compared
 * when the first batch of a later one comes.
 */
export function disperse(before: DispersionState, counts: HalfCounts, nowMs: number): DispersionState {
  const slot = Math.floor(nowMs / BLOCK_MS);
  if (slot === before.slot) return { ...before, open: plus(before.open, counts) };
  const lengths = before.lengths.map((length, index) => lengthAfter(length, before.open, isOver(before.slot, slot, Number(BLOCKS[index]))));
  const isKnown = before.isKnown || lengths.some(({ expected }) => expected > 0);
  return { slot, open: counts, lengths, outcomesAsOne: largestOf(lengths), isKnown };
}

/** Whether a block of so many slots that holds the first of these is over in the second. */
const isOver = (slot: number, next: number, size: number): boolean => Math.floor(slot / size) !== Math.floor(next / size);

function lengthAfter({ open, unevenness, expected }: Length, more: HalfCounts, isOverNow: boolean): Length {
  const block = plus(open, more);
  const { halfHits, half, hits, all } = block;
  if (!isOverNow) return { open: block, unevenness, expected };
  if (all < 2 || hits === 0) return { open: NOTHING, unevenness, expected };
  // By chance alone the half has its part of all hits, and the squares of what is missing add up to what is expected.
  const part = half / all;
  // As drawn without replacement: where all requests are hits the halves cannot differ.
  const variance = (hits * part * (1 - part) * (all - hits)) / (all - 1);
  const missing = halfHits - hits * part;
  return { open: NOTHING, unevenness: unevenness + missing * missing, expected: expected + variance };
}

/** How many outcomes count as one: the larger of both ways to halve stable, of those that are known. */
export function dispersionOf(hosts: DispersionState, keys: DispersionState): number {
  if (!keys.isKnown) return hosts.outcomesAsOne;
  return hosts.isKnown ? Math.max(hosts.outcomesAsOne, keys.outcomesAsOne) : keys.outcomesAsOne;
}

/** Variances of a fair split are a quarter of the events. */
const PRIOR_VARIANCE = DISPERSION.priorEvents / 4;

/** The largest over all lengths of blocks of which one was over; the prior's before. */
function largestOf(lengths: readonly Length[]): number {
  const { floor, prior, mostRaise, raisePerClump } = DISPERSION;
  let most: number = floor;
  for (const [index, { unevenness, expected }] of lengths.entries()) {
    if (index > 0 && expected === 0) continue;
    const measured = (unevenness + prior * PRIOR_VARIANCE) / (expected + PRIOR_VARIANCE);
    const clumps = (4 * expected) / measured;
    const raise = Math.min(mostRaise, 1 + raisePerClump / Math.sqrt(1 + clumps));
    most = Math.max(most, 1 + (measured - 1) * raise);
  }
  return most;
}

const plus = (a: HalfCounts, b: HalfCounts): HalfCounts => ({
  halfHits: a.halfHits + b.halfHits,
  half: a.half + b.half,
  hits: a.hits + b.hits,
  all: a.all + b.all,
});
