import * as z from "zod";
import type { FeedbackCheck } from "../../contract/own-checks.ts";
import type { Rollout } from "../../contract/rollout.ts";
import type { Hits } from "../../contract/variant-report.ts";
import type { VerdictRecord } from "../../contract/verdict.ts";
import type { Counts } from "../../core/judge/bet.ts";
import { addSample, type GaugeSample, type GaugeState, GaugeStateSchema, gaugeFinding, NO_GAUGE } from "../../core/judge/gauge.ts";
import { type OutsideFinding, withOutside } from "../../core/judge/outside.ts";
import { gaugesIn, type NamedGauge } from "../../core/judge/own-policy.ts";
import type { EvidenceBatch, Side } from "../../core/judge/types.ts";

const SidesSchema = z.strictObject({ stable: z.int().min(0), canary: z.int().min(0) });

/** What the leader knows of a rollout's own checks besides what the judge holds; stored with the judge's state. */
export const OwnStateSchema = z.strictObject({
  gauges: z.record(z.string(), GaugeStateSchema),
  hits: z.record(z.string(), SidesSchema).describe("Feedback that waits for decisions to be counted of, by check."),
});

export type OwnState = Readonly<z.infer<typeof OwnStateSchema>>;

/** Before anything was read. */
export const NO_OWN: OwnState = { gauges: {}, hits: {} };

/** What own checks found since the last look. */
export interface OwnNews {
  /** False where only the findings stand, as before. */
  readonly isNew: boolean;
  readonly counts: Readonly<Record<string, Counts>>;
  readonly samples: Readonly<Record<string, readonly GaugeSample[]>>;
  /** Feedback by check: events of users of each side. */
  readonly hits: Readonly<Record<string, Readonly<Record<Side, number>>>>;
  /** The same counts and feedback by check and variant. */
  readonly variants: Readonly<Record<string, Readonly<Record<string, Hits>>>>;
  /** What stands of webhooks, and of counters and gauges that cannot be read. */
  readonly findings: readonly OutsideFinding[];
}

type Judged = Readonly<{ rollout: Rollout; own?: OwnNews | undefined }>;

/** Takes news in; the counts are what the judge bets on together with this batch. */
export function takeOwn(
  before: OwnState,
  { rollout, own }: Judged,
  batch: EvidenceBatch,
): Readonly<{ state: OwnState; counts: EvidenceBatch["own"] }> {
  if (own === undefined) return { state: before, counts: undefined };
  const gauges = { ...before.gauges };
  for (const { name, policy } of gaugesIn(rollout.checks))
    gauges[name] = (own.samples[name] ?? []).reduce<GaugeState>(
      (state, sample) => addSample(state, sample, policy),
      gauges[name] ?? NO_GAUGE,
    );
  const hits: Record<string, Record<Side, number>> = {};
  const counts: Record<string, Counts> = { ...own.counts };
  for (const { name } of feedbackIn(rollout)) {
    const waiting = {
      stable: (before.hits[name]?.stable ?? 0) + (own.hits[name]?.stable ?? 0),
      canary: (before.hits[name]?.canary ?? 0) + (own.hits[name]?.canary ?? 0),
    };
    // Events come after their requests; a batch cannot have more of them than requests, so that the rest waits for the next.
    const [stableHits, canaryHits] = [Math.min(waiting.stable, batch.stable.decided), Math.min(waiting.canary, batch.canary.decided)];
    if (batch.stable.decided + batch.canary.decided > 0)
      counts[name] = { stableHits, stable: batch.stable.decided, canaryHits, canary: batch.canary.decided };
    hits[name] = { stable: waiting.stable - stableHits, canary: waiting.canary - canaryHits };
  }
  return { state: { gauges, hits }, counts: Object.keys(counts).length === 0 ? undefined : counts };
}

/** Those of a rollout's own checks that count what users say. */
export const feedbackIn = ({ checks }: Rollout): FeedbackCheck[] =>
  (checks.own ?? []).flatMap((check) => ("feedback" in check ? [check] : []));

/** The judge's record with what it did not bet on. */
export function joinOwn(record: VerdictRecord, { gauges }: OwnState, { rollout, own }: Judged): VerdictRecord {
  if (own === undefined) return record;
  const unread = new Set(own.findings.map(({ name }) => name));
  const read = gaugesIn(rollout.checks).filter(({ name }) => !unread.has(name));
  return withOutside(record, [...own.findings, ...read.map((gauge) => findingOf(gauge, gauges[gauge.name] ?? NO_GAUGE, record.alpha))]);
}

function findingOf({ name, policy }: NamedGauge, state: GaugeState, alpha: number): OutsideFinding {
  const gauge = gaugeFinding(state, policy, alpha);
  const { verdict, canary, stable, threshold, blocks } = gauge;
  const beyond = verdict === "hold" ? `worse by more than ${figure(threshold)}: ` : "";
  const reason = `${beyond}${figure(canary)} on canary against ${figure(stable)} on stable over ${blocks} times 30 s`;
  return { name, isCritical: false, verdict, reason, gauge };
}

/** Three figures are enough for people; the record has them all. */
const figure = (value: number | null): string => (value === null ? "nothing" : String(Number(value.toPrecision(3))));
