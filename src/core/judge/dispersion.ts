import { BLOCK_MS, BLOCKS, DISPERSION } from "./parameters.ts";
import type { DispersionState } from "./state.ts";

/** Hits of one half of stable and of all of it, in one batch. */
export interface HalfCounts {
  readonly halfHits: number;
  readonly half: number;
  readonly hits: number;
  readonly all: number;
}

/** Nothing known of the halves. */
export const startDispersion = (): DispersionState => ({
  slot: 0,
  lengths: BLOCKS.map(() => ({ open: { halfHits: 0, half: 0, hits: 0, all: 0 }, unevenness: 0, expected: 0 })),
});

/**
 * Takes a batch in. Blocks lie on the clock, so that it does not matter how batches cut the time: a block that is over is compared
 * when the first batch of a later one comes.
 */
export function disperse(before: DispersionState, counts: HalfCounts, nowMs: number): DispersionState {
  const slot = Math.floor(nowMs / BLOCK_MS);
  const lengths = before.lengths.map((length, index) => {
    const size = Number(BLOCKS[index]);
    const isOver = Math.floor(slot / size) !== Math.floor(before.slot / size);
    return isOver ? { ...compared(length), open: counts } : { ...length, open: plus(length.open, counts) };
  });
  return { slot, lengths };
}

type Length = DispersionState["lengths"][number];

/** The half's hits against its part of all hits: by chance alone the squares add up to what is expected. */
function compared({ open, unevenness, expected }: Length): Length {
  const { halfHits, half, hits, all } = open;
  if (all < 2 || hits === 0) return { open, unevenness, expected };
  const part = half / all;
  // As drawn without replacement: where all requests are hits the halves cannot differ.
  const variance = (hits * part * (1 - part) * (all - hits)) / (all - 1);
  return { open, unevenness: unevenness + (halfHits - hits * part) ** 2, expected: expected + variance };
}

/** How many outcomes count as one: the larger of both ways to halve stable, of those that are known. */
export function dispersionOf(hosts: DispersionState, keys: DispersionState): number {
  const [byHosts, byKeys] = [ofHalves(hosts), ofHalves(keys)];
  if (isKnown(hosts) && isKnown(keys)) return Math.max(byHosts, byKeys);
  return isKnown(keys) ? byKeys : byHosts;
}

const isKnown = ({ lengths }: DispersionState): boolean => lengths.some(({ expected }) => expected > 0);

/** The largest over all lengths of blocks of which one was over; the prior's before. */
function ofHalves({ lengths }: DispersionState): number {
  const { floor, prior, priorEvents, mostRaise, raisePerClump } = DISPERSION;
  let most: number = floor;
  for (const [index, { unevenness, expected }] of lengths.entries()) {
    if (index > 0 && expected === 0) continue;
    // Variances of a fair split are a quarter of the events.
    const priorVariance = priorEvents / 4;
    const measured = (unevenness + prior * priorVariance) / (expected + priorVariance);
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
