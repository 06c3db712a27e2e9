import { LABELS } from "../contract/evidence.ts";
import { METRICS } from "../contract/names.ts";
import type { PrometheusSeries } from "./prometheus-api.ts";

/** One counter or histogram of one scraped sidecar, cumulative. */
export interface ScrapedCounter {
  /** The label `instance`: who was scraped. */
  readonly instance: string;
  readonly metric: string;
  /** Serin's own labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Upper bounds of the buckets in seconds, ascending, without the open one; undefined for a counter. */
  readonly bounds: readonly number[] | undefined;
  /** Unix milliseconds → the value, or one a bucket. */
  readonly points: ReadonlyMap<number, readonly number[]>;
}

const COUNTED = [METRICS.decisions, METRICS.outcomes, METRICS.settled, METRICS.clusterMissing];
const BUCKET = `${METRICS.outcomeDuration}_bucket`;
const OWN_LABELS: readonly string[] = Object.values(LABELS);

/** Everything that sidecars count of a rollout, as one query. */
export const counterQuery = (rollout: string): string => `{__name__=~"${[...COUNTED, BUCKET].join("|")}",rollout="${rollout}"}`;

/** The same, and when each sidecar was scraped last, in one answer of one server: of several behind one address, one may lag. */
export const scrapeQuery = (rollout: string): string => `${counterQuery(rollout)} or timestamp(${METRICS.ruleRevision})`;

/** When each of the scraped was scraped last, by its label `instance`, in Unix milliseconds; only these series have no name. */
export function scrapedAtMs(series: readonly PrometheusSeries[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { labels, points } of series) {
    const { __name__: name, instance = "" } = labels;
    if (name !== undefined) continue;
    for (const [, atS] of points) found.set(instance, Math.max(found.get(instance) ?? 0, Math.round(atS * 1_000)));
  }
  return found;
}

interface Gathered {
  readonly instance: string;
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  /** By upper bound in seconds; one entry, at infinity, for a counter. */
  readonly parts: Map<number, Map<number, number>>;
}

/**
 * The counters in an answer. A sidecar that two jobs or two servers scrape stands there twice, by labels that are not Serin's: the
 * larger value counts.
 */
export function countersOf(series: readonly PrometheusSeries[]): ScrapedCounter[] {
  const found = new Map<string, Gathered>();
  for (const { labels, points } of series) {
    const { __name__: name, instance = "", le } = labels;
    if (name === undefined) continue;
    const own = Object.fromEntries(OWN_LABELS.flatMap((label) => (labels[label] === undefined ? [] : [[label, labels[label]]])));
    const key = JSON.stringify([instance, name, own]);
    const metric = name === BUCKET ? METRICS.outcomeDuration : name;
    const gathered = found.get(key) ?? { instance, metric, labels: own, parts: new Map() };
    found.set(key, gathered);
    const bound = le === undefined || le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
    const part = gathered.parts.get(bound) ?? new Map<number, number>();
    gathered.parts.set(bound, part);
    for (const [atMs, value] of points) part.set(atMs, Math.max(value, part.get(atMs) ?? 0));
  }
  return [...found.values()].map(counterOf);
}

function counterOf({ parts, ...rest }: Gathered): ScrapedCounter {
  const bounds = [...parts.keys()].toSorted((a, b) => a - b);
  const all = [...(parts.get(Number.POSITIVE_INFINITY)?.keys() ?? [])];
  const points = new Map(all.map((atMs) => [atMs, bounds.map((bound, index) => within(parts, atMs, [bounds[index - 1], bound]))]));
  return { ...rest, bounds: rest.metric === METRICS.outcomeDuration ? bounds.slice(0, -1) : undefined, points };
}

/** Prometheus counts up to each bound; here each bucket counts its own. */
function within(parts: Gathered["parts"], atMs: number, [below, bound]: readonly [number | undefined, number]): number {
  const upTo = (at: number | undefined): number => (at === undefined ? 0 : (parts.get(at)?.get(atMs) ?? 0));
  return Math.max(0, upTo(bound) - upTo(below));
}
