import type { Counts } from "./bet.ts";
import type { HalfCounts } from "./dispersion.ts";
import { slowOf, unendedAbove } from "./overdue.ts";
import { COLD_MS } from "./parameters.ts";
import { isAboutErrors, type Question } from "./questions.ts";
import { boundNear, coldBound, countOf, slowerThan } from "./slow.ts";
import type { JudgeState, MetricState } from "./state.ts";
import type { EvidenceBatch, Half, JudgePolicy } from "./types.ts";
import { NO_COUNTS } from "./wager.ts";

/** What all metrics need of one batch. */
export interface Moment {
  readonly policy: JudgePolicy;
  readonly batch: EvidenceBatch;
  /** Change of the requests that count as slow because they have not ended. */
  readonly unended: Readonly<Record<"stable" | "canary", number>>;
  readonly nowMs: number;
  readonly canarySinceMs: number | null;
  /** Part of the reserve that is to be bet. */
  readonly due: number;
}

/** What a batch says of one metric. */
export interface Measured {
  readonly counts: Counts;
  readonly hosts: HalfCounts | undefined;
  readonly keys: HalfCounts | undefined;
  readonly bearsOnSafety: boolean;
}

/** Chooses the bound of slow requests once, by what stable did before this batch, and begins with what is known of stable there. */
export function withBound(metric: MetricState, { slowAt }: Question, { stable }: JudgeState, boundsMs: readonly number[]): MetricState {
  if (slowAt === undefined || metric.bound !== null) return metric;
  const bound = boundNear(stable.latency, slowAt, boundsMs);
  return bound === null ? metric : { ...metric, bound, long: { hits: slowerThan(stable.latency, bound), all: countOf(stable.latency) } };
}

/** New counts of a metric; undefined while it has no bound. */
export function measure(question: Question, metric: MetricState, moment: Moment): Measured | undefined {
  const { batch } = moment;
  if (question.own !== undefined) return { counts: ownCounts(question, batch), hosts: undefined, keys: undefined, bearsOnSafety: true };
  if (isAboutErrors(question)) return failures(batch, question.key === "newly" ? newlyFailing : failedUnknown);
  return metric.bound === null ? undefined : slowness(metric, metric.bound, moment);
}

/** Where nobody knows users each failed request stands for one. */
const newlyFailing = ({ requests, failed, users }: Half): number => (users === undefined ? failed : Math.min(users.newly, requests));
const failedUnknown = ({ failed, users }: Half): number => Math.max(0, failed - (users?.knownRequests ?? 0));

function failures({ canary, stable, halves }: EvidenceBatch, hitsOf: (half: Half) => number): Measured {
  const failing = (half: Half): Hits => ({ hits: hitsOf(half), all: half.requests });
  const [ofStable, hosts, keys] = [failing(stable), halves?.hosts, halves?.keys];
  return {
    counts: countsOf(failing(canary), ofStable),
    hosts: halfOf(hosts && failing(hosts), ofStable),
    keys: halfOf(keys && failing(keys), ofStable),
    bearsOnSafety: true,
  };
}

type Hits = Readonly<{ hits: number; all: number }>;

const countsOf = (canary: Hits, stable: Hits): Counts => ({
  canaryHits: canary.hits,
  canary: canary.all,
  stableHits: stable.hits,
  stable: stable.all,
});

const halfOf = (half: Hits | undefined, stable: Hits): HalfCounts | undefined =>
  half === undefined
    ? undefined
    : { halfHits: Math.min(half.hits, stable.hits), half: Math.min(half.all, stable.all), hits: stable.hits, all: stable.all };

/** A canary is cold at first; what it then shows is no proof of safety. */
function slowness(metric: MetricState, bound: number, { policy, batch, unended, nowMs, canarySinceMs }: Moment): Measured {
  const { boundsMs } = policy;
  const { stable, canary, halves } = batch;
  const warmAtMs = (canarySinceMs ?? nowMs) + COLD_MS;
  const ended = slowOf(stable.latency, 0, bound);
  const more = unendedAbove(bound, unended.stable, boundsMs);
  const above = nowMs < warmAtMs ? coldBound(bound, boundsMs) : bound;
  const slow = (half: Half | undefined): Hits | undefined => (half === undefined ? undefined : slowOf(half.latency, 0, bound));
  return {
    counts: countsOf(slowOf(canary.latency, unendedAbove(above, unended.canary, boundsMs), above), {
      hits: ended.hits + more,
      all: ended.all + more,
    }),
    hosts: halfOf(slow(halves?.hosts), ended),
    keys: halfOf(slow(halves?.keys), ended),
    bearsOnSafety: metric.betAtMs >= warmAtMs,
  };
}

/** Of an own check whose drop is harm the misses are counted. Hits that came before what they are part of count as one each. */
function ownCounts({ own, name }: Question, { own: told }: EvidenceBatch): Counts {
  const counts = told?.[name] ?? NO_COUNTS;
  const hits = (count: number, all: number): number => (own?.harm === "lower" ? all - Math.min(count, all) : Math.min(count, all));
  return { ...counts, canaryHits: hits(counts.canaryHits, counts.canary), stableHits: hits(counts.stableHits, counts.stable) };
}
