import { METRICS } from "../contract/names.ts";
import type { KillSwitch } from "../io/kill-switch.ts";
import { type Reading, reading } from "../io/metric-points.ts";
import type { Beat, BeatState } from "./beat.ts";
import type { CurrentRules } from "./current-rules.ts";

interface Standing {
  readonly rules: CurrentRules;
  readonly beat: Beat;
  readonly nowMs: number;
  standing(): BeatState;
}

/** How the rules stand. */
export function rulesReadings({ rules, beat, nowMs, standing }: Standing): Reading[] {
  const { epoch, revision } = rules.ruleSet();
  const ageMs = beat.ageMs();
  return [
    reading(METRICS.ruleEpoch, epoch),
    reading(METRICS.ruleRevision, revision),
    reading(METRICS.rulesSince, Math.max(0, nowMs - rules.sinceMs()) / 1_000),
    reading(METRICS.rulesRejected, rules.rejected().count),
    reading(METRICS.rulesState, 1, { state: standing() }),
    reading(METRICS.segmentsAwaited, rules.awaited().segments.length),
    ...(ageMs === undefined ? [] : [reading(METRICS.ruleAge, ageMs / 1_000)]),
  ];
}

/** How operators' orders stand. */
export const killReadings = (kills: Pick<KillSwitch, "inForce" | "refused">): Reading[] => [
  reading(METRICS.kills, kills.inForce().length),
  reading(METRICS.killsRefused, kills.refused()),
];
