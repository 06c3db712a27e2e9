import type { Hits } from "../../contract/variant-report.ts";
import type { Counts } from "../../core/judge/bet.ts";
import type { Side } from "../../core/judge/types.ts";
import type { PrometheusSeries } from "../../io/prometheus-api.ts";

/** Cumulative values by series, as whole numbers. */
type Values = ReadonlyMap<string, number>;

/** All four counters of one check at one moment. */
export interface CounterReading {
  readonly atMs: number;
  readonly hits: Readonly<Record<Side, Values>>;
  readonly all: Readonly<Record<Side, Values>>;
}

/** What followed from a reading: new counts, or why there are none. The reading to go on from is undefined before the first good one. */
export interface CounterStep {
  readonly from: CounterReading | undefined;
  readonly counts?: Counts;
  /** The canary's of each variant beside stable that has any, in the order of the file; of one query for all of them it is the first's. */
  readonly beside?: readonly Hits[];
  /** For people; absent where all is well. */
  readonly problem?: string;
}

/** Two readings further apart may hide that a counter began anew twice; what lies between them is dropped. */
const MAX_GAP_MS = 120_000;
/** More series than this are a query that forgot to sum. */
const MAX_SERIES = 1_000;

/** Beside stable, as a rollout may have them. */
const MOST_VARIANTS = 8;

const SIDES = ["stable", "canary"] as const;
const KINDS = ["hits", "all"] as const;

/** The last value of each series. */
export function valuesOf(series: readonly PrometheusSeries[]): Values {
  return new Map(
    series.flatMap(({ labels, points }) => {
      const value = points.at(-1)?.[1];
      return value === undefined || !Number.isFinite(value) ? [] : [[keyOf(labels), Math.floor(value)]];
    }),
  );
}

/** The same whatever the order of labels. */
const keyOf = (labels: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/**
 * What was counted between two readings. Both sides count over the same time, or not at all: what is missing on one side waits for the
 * next reading. A series that is new begins to count; where one began anew, nothing of that time is known.
 */
export function countsSince(from: CounterReading | undefined, to: CounterReading): CounterStep {
  const problem = problemOf(to);
  if (problem !== undefined) return { from, problem };
  if (from === undefined) return { from: to };
  if (to.atMs - from.atMs > MAX_GAP_MS)
    return { from: to, problem: `no reading could be counted for ${MAX_GAP_MS / 1_000} s, so that time is dropped` };
  if (pairs(from, to).some(([before, after]) => [...after].some(([series, value]) => value < (before.get(series) ?? 0))))
    return { from: to, problem: "a counter began anew, so the time until then is dropped" };
  const counts: Counts = {
    stableHits: growth(from.hits.stable, to.hits.stable),
    stable: growth(from.all.stable, to.all.stable),
    canaryHits: growth(from.hits.canary, to.hits.canary),
    canary: growth(from.all.canary, to.all.canary),
  };
  // Scraped at different moments: over a longer time they agree.
  if (counts.stableHits > counts.stable || counts.canaryHits > counts.canary) return { from };
  return { from: to, counts, beside: besideOf(from, to) };
}

function problemOf(reading: CounterReading): string | undefined {
  for (const kind of KINDS)
    for (const side of SIDES) {
      const { size } = reading[kind][side];
      if (size > MAX_SERIES) return `\`${kind}\` gives ${size} series for ${side}, more than ${MAX_SERIES}; sum them`;
      if (size === 0) return `\`${kind}\` gives no series for ${side}; where none means 0, add \`or vector(0)\``;
    }
  return undefined;
}

/** How a series of the canary's begins that is of the variant at this place: its label without a name comes first. */
const ofVariant = (place: string): string => JSON.stringify([["", place]]).slice(0, -1);

function besideOf(from: CounterReading, to: CounterReading): Hits[] {
  const grown = (kind: "hits" | "all", place: string): number => {
    const its = (values: Values): Values => new Map([...values].filter(([series]) => series.startsWith(ofVariant(place))));
    return growth(its(from[kind].canary), its(to[kind].canary));
  };
  const places = Array.from({ length: MOST_VARIANTS }, (_, index) => String(index));
  const told = places.filter((place) => [...to.all.canary.keys()].some((series) => series.startsWith(ofVariant(place))));
  return told.map((place) => ({ hits: grown("hits", place), all: grown("all", place) }));
}

const pairs = (from: CounterReading, to: CounterReading): (readonly [Values, Values])[] =>
  KINDS.flatMap((kind) => SIDES.map((side) => [from[kind][side], to[kind][side]] as const));

function growth(from: Values, to: Values): number {
  let sum = 0;
  for (const [series, value] of to) sum += value - (from.get(series) ?? value);
  return sum;
}
