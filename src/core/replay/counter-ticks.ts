import { LABELS } from "../../contract/evidence.ts";
import { LATENCY_BOUNDS_MS, METRICS } from "../../contract/names.ts";
import { STABLE } from "../../contract/rollout.ts";
import type { Tick, TickSide, TickStart } from "../../contract/ticks.ts";

/** One counter or histogram of one sidecar: cumulative values by Unix milliseconds, one, or one a latency bucket. */
interface Counter {
  readonly instance: string;
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly points: ReadonlyMap<number, readonly number[]>;
}

/** Moments at which counters were looked at, evenly spaced; both ends are looked at. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

/** What the counters say of one side between two moments; `decided` stands beside what ticks tell. */
type Growing = Pick<TickSide, "n" | "errors" | "hist"> & { decided: number };

const BUCKETS = LATENCY_BOUNDS_MS.length + 1;

/**
 * Ticks out of counters: what grew between two moments. A value that falls began anew. A counter that was not there before counts whole
 * where its sidecar was, and where that was not either, only from then on. Ticks before the canary's first decision are the history.
 *
 * `present` holds, by instance, the moments at which it was there.
 */
export function ticksOfCounters(
  counters: readonly Counter[],
  present: ReadonlyMap<string, ReadonlySet<number>>,
  { fromMs, toMs, stepMs }: Span,
): Readonly<{ start: TickStart; ticks: readonly Tick[] }> {
  const known = counters.map((counter) => ({ counter, last: counter.points.get(fromMs) }));
  const found: { sec: number; stable: Growing; canary: Growing }[] = [];
  for (let atMs = fromMs + stepMs; atMs <= toMs; atMs += stepMs) {
    const sides = { sec: (atMs - stepMs) / 1_000, stable: nothing(), canary: nothing() };
    for (const each of known) {
      const { counter, last } = each;
      const now = counter.points.get(atMs);
      if (now === undefined) continue;
      const wasThere = last !== undefined || present.get(counter.instance)?.has(atMs - stepMs) === true;
      if (wasThere) add(sides[counter.labels[LABELS.variant] === STABLE ? "stable" : "canary"], counter, growth(last, now));
      each.last = now;
    }
    found.push(sides);
  }
  const begin = found.findIndex(({ canary }) => canary.decided > 0 || canary.n > 0);
  const all = found.map((sides, index) => tickOf(sides, index - begin));
  const history = begin < 0 ? all : all.slice(0, begin);
  return { start: { tickS: stepMs / 1_000, bounds: [...LATENCY_BOUNDS_MS], history }, ticks: begin < 0 ? [] : all.slice(begin) };
}

const nothing = (): Growing => ({ n: 0, errors: 0, hist: new Array<number>(BUCKETS).fill(0), decided: 0 });

function growth(last: readonly number[] | undefined, now: readonly number[]): readonly number[] {
  const isAnew = last === undefined || now.some((value, index) => value < (last[index] ?? 0));
  return isAnew ? now : now.map((value, index) => value - (last[index] ?? 0));
}

/** The classes `aborted` and `local` speak neither for nor against a variant. */
function add(side: Growing, { metric, labels }: Counter, grown: readonly number[]): void {
  const count = Math.round(grown[0] ?? 0);
  const isFailed = labels[LABELS.class] === "failed";
  if (metric === METRICS.decisions) side.decided += count;
  if (metric === METRICS.outcomes && (isFailed || labels[LABELS.class] === "ok")) side.n += count;
  if (metric === METRICS.outcomes && isFailed) side.errors += count;
  if (metric === METRICS.outcomeDuration && grown.length === BUCKETS) side.hist = side.hist.map((a, b) => a + Math.round(grown[b] ?? 0));
}

function tickOf({ sec, stable, canary }: { sec: number; stable: Growing; canary: Growing }, t: number): Tick {
  const side = ({ n, errors, hist }: Growing): TickSide => ({ n, errors, hist });
  const all = stable.decided + canary.decided;
  return { t, sec, weight: all === 0 ? 0 : canary.decided / all, stable: side(stable), canary: side(canary) };
}
