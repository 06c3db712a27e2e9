import type { LiveState, Phase } from "../contract/live.ts";
import type { Match, PathMatch, Rollout } from "../contract/rollout.ts";
import type { LiveRule, StaticRules } from "../contract/rules.ts";
import { staticRulesOf } from "../core/decide/rollout-rules.ts";

/** A rollout with its plan and where it stands: all that the rule set is derived from. */
export interface Governed {
  readonly rollout: Rollout;
  readonly live: LiveState;
}

/** The most that the live part of a manifest may take, in bytes of JSON: a rollback must stay one small message. */
export const MAX_LIVE_BYTES = 64 * 1_024;

/** Phases in which nothing is left to do. */
export const isEnded = (phase: Phase): boolean => phase === "rolledBack" || phase === "handedOver";

/** The rollouts that the rule set holds, by name: handed-over ones are gone, a rolled-back one makes room for its successor. */
export function governing(all: readonly Governed[]): Governed[] {
  const active = all.filter(({ live }) => !isEnded(live.plan.phase));
  return all
    .filter(({ live, rollout }) => {
      if (live.plan.phase === "handedOver") return false;
      return live.plan.phase !== "rolledBack" || !active.some((other) => overlaps(other.rollout.match, rollout.match));
    })
    .toSorted((a, b) => (a.live.rollout < b.live.rollout ? -1 : 1));
}

/** The changing part of the rule set. */
export function liveRulesOf(all: readonly Governed[]): Record<string, LiveRule> {
  return Object.fromEntries(governing(all).map(({ rollout, live }) => [live.rollout, liveRuleOf(rollout, live)]));
}

function liveRuleOf({ onUnwatched }: Rollout, { plan, shareBp }: LiveState): LiveRule {
  switch (plan.phase) {
    case "pending":
    case "stage":
    case "paused":
      return { run: plan.run, shareBp, off: false, whenUnwatched: onUnwatched };
    case "promoting":
    case "promoted":
      // A version that passed every stage is no canary any more; the old stable may be on its way out.
      return { run: plan.run, shareBp, off: false, whenUnwatched: "hold" };
    case "rollingBack":
    case "rolledBack":
    case "handedOver":
      return { run: plan.run, shareBp: 0, off: true, whenUnwatched: onUnwatched };
  }
}

/** The part of the rule set that does not change while its rollouts run. */
export function staticRulesOfAll(all: readonly Governed[]): Record<string, StaticRules> {
  return Object.fromEntries(governing(all).map(({ rollout, live }) => [live.rollout, staticRulesOf(rollout)]));
}

/** True when some host and path matcher stand in both, so that it would be ambiguous which rollout decides. */
export const overlaps = (a: Match, b: Match): boolean =>
  a.hosts.some((host) => b.hosts.includes(host)) && a.paths.some((path) => b.paths.some((other) => isSamePath(path, other)));

function isSamePath(a: PathMatch, b: PathMatch): boolean {
  if ("prefix" in a) return "prefix" in b && a.prefix === b.prefix;
  return "exact" in b && a.exact === b.exact;
}
