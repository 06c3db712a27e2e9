import { courseOf, hasShadow, stagesOf } from "../contract/course.ts";
import { groupsText } from "../contract/groups.ts";
import { grownVariant } from "../contract/lanes.ts";
import { type LiveState, servedPhase } from "../contract/live.ts";
import { isTagOnly, type Match, type Rollout } from "../contract/rollout.ts";
import type { LiveRule, StaticRules } from "../contract/rules.ts";
import { isShadowed } from "../contract/shadow.ts";
import { overlaps, takesFrom } from "../core/decide/overlap.ts";
import { staticRulesOf } from "../core/decide/rollout-rules.ts";
import { isEnded } from "../core/plan/ended.ts";

/** A rollout with its plan and where it stands: all that the rule set is derived from. */
export interface Governed {
  readonly rollout: Rollout;
  readonly live: LiveState;
}

/** The most that the live part of a manifest may take, in bytes of JSON: a rollback must stay one small message. Room for 1,300 rollouts. */
export const MAX_LIVE_BYTES = 128 * 1_024;

/** From here on handed-over rollouts make room, those that ended first go first; and no more than so many rest at once. */
const RESTING_UNTIL_BYTES = (MAX_LIVE_BYTES * 3) / 4;
const MAX_RESTING = 256;
const FULL_BP = 10_000;
/** Bytes of one rollout in the live part, without its name. */
const LIVE_RULE_BYTES = 84;

/**
 * The rollouts that the rule set holds, by name. A queued one is not in it yet. A rolled-back one makes room for its successor. A handed-over one rests: it
 * decides stable for everyone, which is what happens without it too, only so that users who fail are known when the next
 * attempt begins. So it gives way to any other that it would take a request from.
 */
export function governing(all: readonly Governed[]): Governed[] {
  const begun = all.filter(({ live }) => live.plan.phase !== "queued");
  const active = byHost(begun.filter(({ live, rollout }) => !isEnded(live.plan.phase) && !isTagOnly(rollout.variants)));
  const held = begun.filter(({ live, rollout }) => {
    if (live.plan.phase === "handedOver") return false;
    return (
      live.plan.phase !== "rolledBack" ||
      isTagOnly(rollout.variants) ||
      !near(active, rollout.match).some((other) => overlaps(other.rollout.match, rollout.match))
    );
  });
  const ended = begun.filter(({ live }) => live.plan.phase === "handedOver");
  return [...held, ...restingBeside(held, ended)].toSorted(byName);
}

const byName = (a: Governed, b: Governed): number => (a.live.rollout < b.live.rollout ? -1 : 1);

/** The handed-over ones that may rest, the last ended first. */
function restingBeside(held: readonly Governed[], ended: readonly Governed[]): Governed[] {
  const others = byHost(held.filter(({ rollout }) => !isTagOnly(rollout.variants)));
  let bytes = held.reduce((sum, each) => sum + bytesOf(each), 0);
  const resting: Governed[] = [];
  for (const one of ended.toSorted((a, b) => b.live.plan.sinceMs - a.live.plan.sinceMs || byName(a, b))) {
    const { match, variants } = one.rollout;
    if (!isTagOnly(variants) && near(others, match).some((other) => takesFrom(match, other.rollout.match))) continue;
    if (!isTagOnly(variants) && resting.some((other) => !isTagOnly(other.rollout.variants) && overlaps(other.rollout.match, match)))
      continue;
    bytes += bytesOf(one);
    if (bytes > RESTING_UNTIL_BYTES || resting.length === MAX_RESTING) return resting;
    resting.push(one);
  }
  return resting;
}

const bytesOf = ({ live }: Governed): number => live.rollout.length + LIVE_RULE_BYTES;

/** Among thousands of rollouts only those of the same hosts are worth a closer look. */
function byHost(some: readonly Governed[]): ReadonlyMap<string, readonly Governed[]> {
  const hosts = new Map<string, Governed[]>();
  for (const each of some) {
    for (const host of each.rollout.match.hosts) {
      const there = hosts.get(host);
      if (there === undefined) hosts.set(host, [each]);
      else there.push(each);
    }
  }
  return hosts;
}

const near = (hosts: ReadonlyMap<string, readonly Governed[]>, { hosts: wanted }: Match): Governed[] =>
  [...wanted, "*"].flatMap((host) => hosts.get(host) ?? []);

/** The changing part of the rule set. */
export function liveRulesOf(all: readonly Governed[]): Record<string, LiveRule> {
  return Object.fromEntries(governing(all).map(({ rollout, live }) => [live.rollout, liveRuleOf(rollout, live)]));
}

/** The share of all canaries together under the run in force, in basis points. */
export function canaryShareBp({ rollout, live }: Governed): number {
  const { shareBp, shares = {} } = liveRuleOf(rollout, live);
  return Object.values(shares).reduce((sum, each) => sum + each, shareBp);
}

/** The changing part of one rollout's rules. */
export function liveRuleOf(rollout: Rollout, live: LiveState): LiveRule {
  const { shares, ...rule } = servedBy(rollout, live);
  if (rule.off || !hasShadow(rollout.strategy)) return { ...rule, ...(shares !== undefined && { shares }) };
  const copies = isShadowed(rollout, live.plan) ? "only" : "none";
  return { ...rule, copies, ...(shares !== undefined && { shares }) };
}

function servedBy({ onUnwatched, variants, strategy }: Rollout, { plan: standing, shareBp }: LiveState): LiveRule {
  const plan = servedPhase(standing);
  switch (plan.phase) {
    case "queued":
    case "pending":
    case "ramp":
    case "holdback":
    case "preview":
    case "shadow":
    case "on":
      return { run: plan.run, shareBp, off: false, whenUnwatched: onUnwatched };
    case "group":
      return { run: plan.run, shareBp, off: false, whenUnwatched: onUnwatched, groups: groupsIn(plan, strategy) };
    case "trial":
    case "decision":
      return { run: plan.run, shareBp, off: false, whenUnwatched: onUnwatched, shares: othersIn(variants, strategy) };
    case "stage":
    case "paused": {
      // Past the last stage the variant that grew has everyone.
      const shares = stagesOf(strategy)[plan.stage]?.shares;
      if (plan.phase === "paused" && plan.from === "group")
        return { run: plan.run, shareBp, off: false, whenUnwatched: onUnwatched, groups: groupsIn(plan, strategy) };
      const whenUnwatched = onUnwatched;
      if (plan.phase === "paused" && plan.winner !== undefined) return wonBy(plan.winner, { run: plan.run, whenUnwatched });
      return { run: plan.run, shareBp, off: false, whenUnwatched, ...(shares === undefined ? {} : { shares }) };
    }
    case "promoting":
    case "promoted":
      // A version that passed every stage is no canary any more; the old stable may be on its way out.
      if (plan.winner !== undefined) return wonBy(plan.winner, { run: plan.run, whenUnwatched: "hold" });
      return { run: plan.run, shareBp, off: false, whenUnwatched: "hold" };
    case "rollingBack": {
      if (plan.left === undefined) return { run: plan.run, shareBp: 0, off: true, whenUnwatched: onUnwatched };
      const groups = plan.left.groups === undefined ? {} : { groups: groupsIn(plan.left, strategy) };
      return { run: plan.run, shareBp, off: false, whenUnwatched: onUnwatched, sharesOnly: true, ...groups };
    }
    case "rolledBack":
    case "handedOver":
      return { run: plan.run, shareBp: 0, off: true, whenUnwatched: onUnwatched };
  }
}

/** Everyone on a variant beside the one whose share the plan sets. */
const wonBy = (winner: string, rule: Pick<LiveRule, "run" | "whenUnwatched">): LiveRule => ({
  ...rule,
  shareBp: 0,
  off: false,
  shares: { [winner]: FULL_BP },
});

/** Groups that are on: the newest and those before it. */
const groupsIn = (
  { groups = [], group = 0 }: Readonly<{ groups?: readonly string[] | undefined; group?: number | undefined }>,
  strategy: Rollout["strategy"],
): string => groupsText(courseOf(strategy).rolling.by, groups.slice(0, group + 1));

/** Shares of a test for the variants beside the one that the plan's share is of. */
function othersIn(variants: Rollout["variants"], strategy: Rollout["strategy"]): Record<string, number> {
  const { [grownVariant(variants)]: _, ...others } = courseOf(strategy).trial.shares;
  return others;
}

/** A rollout at rest needs no targets: lists of users would fill its blob, and its conditions would be read from each request. */
export function staticRulesAt({ rollout, live }: Governed): StaticRules {
  const rules = staticRulesOf(rollout);
  return live.plan.phase === "handedOver" ? { ...rules, targets: [] } : rules;
}
