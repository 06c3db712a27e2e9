import { type MixWay, NAMED_TARGETS } from "../contract/mix-evidence.ts";
import type { VariantName } from "../contract/rollout.ts";
import type { CompiledRules } from "../core/decide/compile.ts";
import type { CompiledRollout } from "../core/decide/compiled-rollout.ts";
import type { Decision, RequestFacts } from "../core/decide/types.ts";
import { keyHash } from "../core/judge/key-sketch.ts";
import type { UserSample } from "../core/judge/user-sample.ts";
import type { CountedPart } from "./changed-parts.ts";
import type { Room } from "./key-counter.ts";
import { createUserCounter, type UserCounter } from "./user-counter.ts";

/** Users of one rollout and run that came to a variant in the same way. */
export interface CountedGroup extends CountedPart {
  readonly rollout: string;
  readonly run: number;
  readonly variant: VariantName;
  readonly by: MixWay;
  /** Undefined where no target decided, and for targets that are not counted apart. */
  readonly target: string | undefined;
  sample(): UserSample;
}

/** Who the users of rollouts are that ask for their mix: under the run in force, bounded in all. */
export interface MixUsers {
  /** Counts the user of a decision by these rules. */
  decided(decision: Decision, rules: CompiledRules, request: RequestFacts): void;
  /** To be walked now and then: what these rules do not have in force goes on the way. Others may be counted meanwhile. */
  all(rules: CompiledRules): Iterable<CountedGroup>;
}

/** Users over all rollouts, at about 40 bytes each. */
const MAX_USERS = 200_000;

interface Options {
  /** Hears of each user for whom there is no room. */
  onOverflow(): void;
  readonly maxUsers?: number;
}

/** A group as it is counted. */
interface Group extends Omit<CountedGroup, "version" | "sample"> {
  readonly users: UserCounter;
  version: number;
}

/** Of one rollout: few groups, so that looking through them is faster than any key made of their names. */
interface Counted {
  readonly run: number;
  readonly namedTargets: ReadonlySet<string>;
  readonly groups: Group[];
}

export function createMixUsers({ onOverflow, maxUsers = MAX_USERS }: Options): MixUsers {
  const room: Room = { max: maxUsers, used: 0 };
  const rollouts = new Map<string, Counted>();
  let versions = 0;
  const letGo = (name: string): void => {
    for (const { users } of rollouts.get(name)?.groups ?? []) users.release();
    rollouts.delete(name);
  };
  const countedOf = ({ name, run, targets }: CompiledRollout): Counted => {
    const known = rollouts.get(name);
    if (known?.run === run) return known;
    letGo(name);
    const counted = { run, namedTargets: new Set(targets.slice(0, NAMED_TARGETS).map((target) => target.name)), groups: [] };
    rollouts.set(name, counted);
    return counted;
  };
  return {
    decided(decision, rules, request) {
      const { rollout: name = "", bucket } = decision;
      const by = wayOf(decision);
      const rollout = rules.rollouts.get(name);
      const mix = rollout?.statics.mix;
      if (rollout === undefined || mix === undefined || by === undefined || bucket === undefined) return;
      const { variant, target: decider } = decision;
      const { groups, namedTargets, run } = countedOf(rollout);
      const target = decider !== undefined && namedTargets.has(decider) ? decider : undefined;
      let group = groups.find((each) => each.variant === variant && each.by === by && each.target === target);
      if (group === undefined) {
        const id = [name, run, variant, by, target].join(" ");
        groups.push((group = { id, rollout: name, run, variant, by, target, users: createUserCounter(room), version: 0 }));
      }
      const added = group.users.add(keyHash(bucket), () => mix(request));
      if (added === "no room") onOverflow();
      if (added === "changed") group.version = versions += 1;
    },
    *all(rules) {
      for (const [name, { run, groups }] of rollouts) {
        if (rules.rollouts.get(name)?.run !== run) letGo(name);
        else for (const { users, ...group } of groups) yield { ...group, sample: users.sample };
      }
    },
  };
}

/** Undefined where what decided says nothing about who is on a variant: off, nobody watching, no key. */
function wayOf({ reason, control }: Decision): MixWay | undefined {
  switch (reason) {
    case "share":
      return control ? "control" : "share";
    case "cohort":
    case "target":
      return reason;
    case "no key":
    case "no rollout":
    case "off":
    case "unwatched":
      return undefined;
  }
}
