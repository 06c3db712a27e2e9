import type { LiveState } from "../contract/live.ts";
import type { Rollout } from "../contract/rollout.ts";
import type { LiveRule } from "../contract/rules.ts";
import { type BlobPart, type Blobs, blobPart, joinBlobs } from "../io/rules-store.ts";
import { type Governed, governing, liveRuleOf, staticRulesAt } from "./derive-manifest.ts";

/** All of a rollout that decides whether the rule set holds it, and with which static rules. */
interface Standing {
  readonly one: Governed;
  readonly rollout: Rollout;
  readonly rank: number;
}

/** A rule set without its segments. */
export interface RuleSetParts {
  readonly blobs: Blobs;
  readonly live: Readonly<Record<string, LiveRule>>;
}

/**
 * Derives the rule set of many rollouts again and again: whether they are in it, and their static rules, only where something changed that bears on
 * it. Most steps change the live rule of one rollout.
 */
export class RuleSetMemo {
  #standings: readonly Standing[] = [];
  #held: readonly Governed[] = [];
  #inOrder: readonly LiveRule[] = [];
  #derived: RuleSetParts = { blobs: joinBlobs([]), live: {} };
  /** Live states are replaced, never edited. */
  readonly #rules = new WeakMap<LiveState, LiveRule>();
  readonly #parts = { active: new WeakMap<Rollout, BlobPart>(), resting: new WeakMap<Rollout, BlobPart>() };

  /** The rule set of these rollouts; the same value as before where nothing changed. */
  derive(all: readonly Governed[]): RuleSetParts {
    const isSame = all.length === this.#standings.length && all.every((one, index) => isAsBefore(one, this.#standings[index]));
    if (!isSame) {
      this.#held = governing(all);
      this.#standings = all.map((one) => ({ one, rollout: one.rollout, rank: rankOf(one) }));
    }
    const before = this.#derived;
    const rules = this.#held.map((one) => this.#ruleOf(one));
    if (isSame && rules.every((rule, index) => rule === this.#inOrder[index])) return before;
    this.#inOrder = rules;
    const blobs = isSame
      ? before.blobs
      : joinBlobs(
          this.#held.map((one) => this.#partOf(one)),
          before.blobs,
        );
    const live = Object.fromEntries(this.#held.map((one) => [one.live.rollout, this.#ruleOf(one)] as const));
    this.#derived = { blobs, live };
    return this.#derived;
  }

  #ruleOf({ rollout, live }: Governed): LiveRule {
    const known = this.#rules.get(live);
    if (known !== undefined) return known;
    const rule = liveRuleOf(rollout, live);
    this.#rules.set(live, rule);
    return rule;
  }

  #partOf(one: Governed): BlobPart {
    const { rollout, live } = one;
    const parts = live.plan.phase === "handedOver" ? this.#parts.resting : this.#parts.active;
    const known = parts.get(rollout);
    if (known !== undefined) return known;
    const part = blobPart(live.rollout, staticRulesAt(one));
    parts.set(rollout, part);
    return part;
  }
}

const isAsBefore = (one: Governed, before: Standing | undefined): boolean =>
  before?.one === one && before.rollout === one.rollout && before.rank === rankOf(one);

/** What its phase means for its place in the rule set; of those at rest the last ended go first. */
function rankOf({ live: { plan } }: Governed): number {
  if (plan.phase === "queued") return -1;
  if (plan.phase === "rolledBack") return -2;
  return plan.phase === "handedOver" ? plan.sinceMs : -3;
}
