import * as z from "zod";
import type { Verdict } from "../../contract/verdict.ts";

/** Length of a block, in milliseconds: within one, neighbouring values are alike, so that only its mean counts. */
const BLOCK_MS = 30_000;
/** Blocks at the begin that do not count: what has just started warms up. */
const IGNORED = 10;
/** The interval is narrowest, for its time, at about so many blocks. */
const TIGHTEST_AT = 40;
/** Below so many blocks the spread is not known well enough for an interval that rests on it. */
const FEWEST = 20;

const MeansSchema = z.strictObject({ stable: z.number(), canary: z.number() });

/** What is known of one gauge. Plain JSON; values in the gauge's own unit. */
export const GaugeStateSchema = z.strictObject({
  block: z
    .strictObject({ sinceMs: z.int(), count: z.int().min(1), sums: MeansSchema })
    .nullable()
    .describe("The block that is open, Unix milliseconds; null between two."),
  closed: z.int().min(0).describe("Blocks closed, those of the begin included."),
  count: z.int().min(0).describe("Blocks that count."),
  excess: z.number().describe("Mean over them of what is beyond the tolerated difference, on the side of harm."),
  squares: z.number().min(0).describe("Sum of the squared deviations from it."),
  means: MeansSchema,
});

export type GaugeState = Readonly<z.infer<typeof GaugeStateSchema>>;

/** What of a gauge is harm, and how much of it is tolerated: a part of stable's value, or so much in the gauge's unit. */
export interface GaugePolicy {
  readonly harm: "higher" | "lower";
  readonly tolerated: Readonly<{ relative: number }> | Readonly<{ absolute: number }>;
}

/** Values of both sides at one moment. */
export interface GaugeSample {
  readonly atMs: number;
  readonly stable: number;
  readonly canary: number;
}

/** What the blocks say: an advisory verdict, and the figures behind it. `hold` means that the canary is worse by more than tolerated. */
export interface GaugeFinding {
  readonly verdict: Exclude<Verdict, "rollback">;
  readonly stable: number | null;
  readonly canary: number | null;
  /** Tolerated difference, in the gauge's unit. */
  readonly threshold: number;
  /** Bounds on how much worse the canary is, valid whenever it is looked at; null below the fewest blocks. */
  readonly lower: number | null;
  readonly upper: number | null;
  readonly blocks: number;
}

/** Nothing known yet. */
export const NO_GAUGE: GaugeState = { block: null, closed: 0, count: 0, excess: 0, squares: 0, means: { stable: 0, canary: 0 } };

/** Takes values in. The first of a later block closes the one before; time that goes back adds to the open one. */
export function addSample(state: GaugeState, sample: GaugeSample, policy: GaugePolicy): GaugeState {
  const { block } = state;
  if (block === null) return { ...state, block: begun(sample) };
  if (sample.atMs - block.sinceMs >= BLOCK_MS) return { ...closed(state, block, policy), block: begun(sample) };
  const sums = { stable: block.sums.stable + sample.stable, canary: block.sums.canary + sample.canary };
  return { ...state, block: { ...block, count: block.count + 1, sums } };
}

const begun = ({ atMs, stable, canary }: GaugeSample): NonNullable<GaugeState["block"]> => ({
  sinceMs: atMs,
  count: 1,
  sums: { stable, canary },
});

/** One block more, its mean and spread by Welford's update. */
function closed(state: GaugeState, { count: values, sums }: NonNullable<GaugeState["block"]>, policy: GaugePolicy): GaugeState {
  const blocks = state.closed + 1;
  if (blocks <= IGNORED) return { ...state, closed: blocks };
  const [stable, canary] = [sums.stable / values, sums.canary / values];
  const count = state.count + 1;
  const worse = policy.harm === "higher" ? canary - stable : stable - canary;
  const step = worse - toleratedOf(policy, stable) - state.excess;
  const excess = state.excess + step / count;
  return {
    ...state,
    closed: blocks,
    count,
    excess,
    squares: state.squares + (step * step * (count - 1)) / count,
    means: {
      stable: state.means.stable + (stable - state.means.stable) / count,
      canary: state.means.canary + (canary - state.means.canary) / count,
    },
  };
}

const toleratedOf = ({ tolerated }: GaugePolicy, stable: number): number =>
  "absolute" in tolerated ? tolerated.absolute : tolerated.relative * Math.abs(stable);

/** What is known so far, wrong at any time with a chance of about `alpha`. */
export function gaugeFinding({ count, excess, squares, means }: GaugeState, policy: GaugePolicy, alpha: number): GaugeFinding {
  const threshold = toleratedOf(policy, means.stable);
  const [stable, canary] = count === 0 ? [null, null] : [means.stable, means.canary];
  if (count < FEWEST) return { verdict: "unknown", stable, canary, threshold, lower: null, upper: null, blocks: count };
  const radius = Math.sqrt(squares / (count - 1)) * radiusOf(count, alpha);
  const verdict = excess - radius > 0 ? "hold" : excess + radius <= 0 ? "advance" : "unknown";
  return { verdict, stable, canary, threshold, lower: excess - radius + threshold, upper: excess + radius + threshold, blocks: count };
}

/**
 * Half the width of a confidence sequence for a mean, in standard deviations: valid at every look, for many blocks (Waudby-Smith, Arbour,
 * Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, theorem 2.2 and its choice of rho).
 */
function radiusOf(count: number, alpha: number): number {
  const odds = -2 * Math.log(alpha);
  const rho2 = (odds + Math.log1p(odds)) / TIGHTEST_AT;
  const spread = count * rho2 + 1;
  return Math.sqrt(((2 * spread) / (count * count * rho2)) * Math.log(Math.sqrt(spread) / alpha));
}
