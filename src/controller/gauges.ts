import type { Attributes } from "@opentelemetry/api";
import type { BlastRadius } from "../contract/blast-radius.ts";
import { stagesOf } from "../contract/course.ts";
import type { FailingUsers } from "../contract/failing-users.ts";
import type { MixFigures } from "../contract/mix-evidence.ts";
import { METRICS } from "../contract/names.ts";
import type { Strategy } from "../contract/strategy.ts";
import type { CheckRecord } from "../contract/verdict.ts";
import type { Side } from "../core/judge/types.ts";
import { costOf } from "../core/plan/blast-radius.ts";
import { isEnded } from "../core/plan/ended.ts";
import { awaitedBy, awaitsReceipts } from "../core/plan/stragglers.ts";
import type { Reading } from "../io/metric-points.ts";
import { type OnCourse, stageOf } from "./course-counts.ts";
import type { Judging } from "./judging.ts";
import { shareSeenBp } from "./tally.ts";

/** A rollout as its gauges show it. */
export interface ShownRollout extends OnCourse {
  readonly judging: Pick<Judging, "tally" | "verdict">;
  /** Undefined where no user was seen to fail. */
  readonly users: FailingUsers | undefined;
  /** Undefined where it asks for no mix of its users. */
  readonly mix: MixFigures | undefined;
}

/** Values of one rollout, with the labels beside its name. */
type Values = readonly (readonly [value: number | null | undefined, labels?: Attributes])[];
type Gauge = readonly [name: string, of: (rollout: ShownRollout, nowMs: number) => Values];

const SIDES: readonly Side[] = ["stable", "canary"];
const FULL_BP = 10_000;

/** How long a rollout that has ended is shown on, in milliseconds: alerts tell of it as long. */
const SHOWN_ON_MS = 3_600_000;

/** Each of the checks that found something. */
const ofChecks =
  (valuesOf: (check: CheckRecord) => Values): Gauge[1] =>
  ({ judging: { verdict } }) =>
    (verdict?.checks ?? [])
      .filter(({ difference }) => difference !== null)
      .flatMap((check) => valuesOf(check).map(([value, labels]) => [value, { check: check.name, ...labels }] as const));

const ofUsers =
  (valueOf: (users: FailingUsers[Side]) => number): Gauge[1] =>
  ({ users }) =>
    users === undefined ? [] : SIDES.map((variant) => [valueOf(users[variant]), { variant }]);

const GAUGES: readonly Gauge[] = [
  [METRICS.rolloutInfo, ({ rollout }) => [[1, { strategy: kindOf(rollout.strategy), mode: rollout.mode }]]],
  [METRICS.rolloutPhase, ({ live }) => [[1, { phase: live.plan.phase }]]],
  [METRICS.rolloutPhaseAge, ({ live }, nowMs) => [[Math.max(0, nowMs - live.plan.sinceMs) / 1_000]]],
  [METRICS.rolloutHeld, ({ live: { plan } }) => [[Number("held" in plan && plan.held !== undefined)]]],
  [METRICS.rolloutRun, ({ live }) => [[live.plan.run]]],
  [METRICS.rolloutStage, ({ live, rollout }) => [[stageOf(live.plan, stagesOf(rollout.strategy).length)]]],
  [METRICS.rolloutStages, ({ rollout }) => [[stagesOf(rollout.strategy).length]]],
  [METRICS.rolloutShare, ({ live }) => [[live.shareBp / FULL_BP]]],
  [METRICS.rolloutOverdue, ({ live: { plan } }) => [[Number(plan.phase === "promoted" && plan.overdue)]]],
  [METRICS.rolloutStragglers, ({ live: { plan } }) => [[awaitsReceipts(plan) ? awaitedBy(plan).length : 0]]],
  [METRICS.rolloutLeftBehind, ({ live: { plan } }) => [[plan.without?.length ?? 0]]],
  [METRICS.rolloutStopped, ({ live: { stops = [] } }) => [[stops.length]]],
  [METRICS.rolloutShareSeen, ({ judging }) => [[ratioOf(shareSeenBp(judging.tally))]]],
  [METRICS.rolloutSafeShare, ({ judging: { verdict } }) => [[ratioOf(verdict?.safeShareBp)]]],
  [METRICS.rolloutVerdict, ({ judging: { verdict } }) => (verdict === null ? [] : [[1, { verdict: verdict.verdict }]])],
  [METRICS.rolloutOdds, ({ judging: { verdict } }) => [[verdict?.odds]]],
  [METRICS.rolloutOddsThreshold, ({ judging: { verdict } }) => [[verdict === null ? null : 1 / verdict.alpha]]],
  [
    METRICS.rolloutEvidenceAge,
    ({ judging: { verdict } }, nowMs) => (verdict?.canaryAtMs === undefined ? [] : [[Math.max(0, nowMs - verdict.canaryAtMs) / 1_000]]),
  ],
  [METRICS.checkValue, ofChecks(({ difference }) => [[difference]])],
  [METRICS.checkThreshold, ofChecks(({ threshold }) => [[threshold]])],
  [METRICS.checkLower, ofChecks(({ lower }) => [[lower]])],
  [METRICS.checkUpper, ofChecks(({ upper }) => [[upper]])],
  [METRICS.checkRatio, ofChecks((check) => SIDES.map((variant) => [check[variant], { variant }]))],
  [METRICS.checkVerdict, ofChecks(({ verdict }) => [[1, { verdict }]])],
  [METRICS.blastRadiusSpent, (each) => costs(each, costOf(each.judging.tally.totals, each.users))],
  [METRICS.blastRadiusAllowed, (each) => costs(each, each.rollout.blastRadius ?? {})],
  [METRICS.rolloutFailingUsers, ofUsers(({ distinct }) => distinct)],
  [METRICS.rolloutNewlyFailingUsers, ofUsers(({ newlyFailing }) => newlyFailing)],
  [METRICS.rolloutKnownFailingRequests, ofUsers(({ knownRequests }) => knownRequests)],
  [METRICS.rolloutKnownFailingUsers, ({ users }) => [[users?.known]]],
  [
    METRICS.rolloutMixUsers,
    ({ mix }) =>
      (mix?.values ?? []).flatMap(({ label, value, users }) =>
        (["canary", "all"] as const).map((of) => [users[of], { label, value, of }] as const),
      ),
  ],
  [
    METRICS.rolloutMixSkewed,
    ({ mix }) =>
      [...new Set((mix?.values ?? []).map(({ label }) => label))].map((label) => [
        Number(mix?.skews.some((skew) => skew.label === label)),
        { label },
      ]),
  ],
];

const ratioOf = (shareBp: number | null | undefined): number | null | undefined =>
  typeof shareBp === "number" ? shareBp / FULL_BP : shareBp;

/** Of the kinds that have a limit. */
const costs = (
  { rollout: { blastRadius } }: ShownRollout,
  of: Readonly<Record<"failedRequests" | "failedUsers", number | undefined>> | BlastRadius,
): Values =>
  (["failedRequests", "failedUsers"] as const).filter((kind) => blastRadius?.[kind] !== undefined).map((kind) => [of[kind], { kind }]);

function kindOf(strategy: Strategy): string {
  if ("use" in strategy) return "stages";
  if (strategy.type !== "canary") return strategy.type;
  return "ramp" in strategy ? "ramp" : "stages";
}

/** Rollouts in one part: some milliseconds of work. */
const ROLLOUTS_A_PART = 50;

/** Whether a rollout has series: they go an hour after its end, and not while it waits for sidecars that have not confirmed their way back. */
export const isShown = ({ live: { plan } }: Pick<ShownRollout, "live">, nowMs: number): boolean =>
  !isEnded(plan.phase) || awaitsReceipts(plan) || nowMs - plan.sinceMs < SHOWN_ON_MS;

/** The gauges of rollouts, in parts that are made as they are asked for. */
export function* rolloutGauges(rollouts: readonly ShownRollout[], nowMs: number): Generator<Reading> {
  for (const [name, of] of GAUGES) {
    // An empty one as well: a metric without series is shown by its name.
    for (let from = 0; from === 0 || from < rollouts.length; from += ROLLOUTS_A_PART) {
      const values = rollouts
        .slice(from, from + ROLLOUTS_A_PART)
        .flatMap((each) =>
          of(each, nowMs).flatMap(([value, labels]) =>
            typeof value === "number" ? [{ attributes: { rollout: each.name, ...labels }, value }] : [],
          ),
        );
      yield { name, values };
    }
  }
}
