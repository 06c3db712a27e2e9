import type { Counts } from "./bet.ts";
import { LONG_MEMORY_MS, OUTAGE, PRIOR, RATIO_LIMITS, SHORT_MEMORY_EVENTS, SHORT_MEMORY_MS } from "./parameters.ts";
import type { MetricState } from "./state.ts";

type Memory = MetricState["long"];
type Memories = Pick<MetricState, "short" | "long">;

/** Keeps guesses off 0 and 1, where a single outcome to the contrary would cost everything. */
export const withinLimits = (ratio: number): number => Math.min(RATIO_LIMITS.high, Math.max(RATIO_LIMITS.low, ratio));

/** Stable's ratio as far as its past tells; a bet may use nothing else. */
export function stableRatio({ short, long }: Memories): number {
  return isTelling(short) ? withinLimits(short.hits / short.all) : slowRatio(long);
}

/** True when stable fails far above its own past, so that neither side can be told good from bad. */
export function isOutage({ long }: Memories, { stableHits, stable }: Counts): boolean {
  const past = slowRatio(long);
  const limit = Math.max(OUTAGE.times * past, OUTAGE.points + OUTAGE.timesBeside * past);
  return long.all >= OUTAGE.leastPast && stableHits >= OUTAGE.failures && stableHits > limit * stable;
}

/** The memories of stable's last seconds and of its last half hour, `sinceMs` after the last outcomes. */
export const shortAfter = (metric: Memories, counts: Counts, sinceMs: number): Memory =>
  faded(metric.short, counts, sinceMs / SHORT_MEMORY_MS);
export const longAfter = (metric: Memories, counts: Counts, sinceMs: number): Memory =>
  faded(metric.long, counts, sinceMs / LONG_MEMORY_MS);

const isTelling = ({ hits, all }: Memory): boolean => Math.min(hits, all - hits) >= SHORT_MEMORY_EVENTS;

const slowRatio = (long: Memory): number =>
  withinLimits(isTelling(long) ? long.hits / long.all : (long.hits + PRIOR.hits) / (long.all + PRIOR.all));

function faded({ hits, all }: Memory, { stableHits, stable }: Counts, ages: number): Memory {
  const left = Math.exp(-ages);
  return { hits: hits * left + stableHits, all: all * left + stable };
}
