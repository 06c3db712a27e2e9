import { type Condition, type Leaf, mapLeaves } from "../../contract/conditions.ts";
import { FEEDBACK_KEPT_MS, type FeedbackEvent, type HashedFeedback, MAX_SERVED, type ServedRules } from "../../contract/feedback.ts";
import { type Rollout, STABLE, type VariantName } from "../../contract/rollout.ts";
import type { LiveRule } from "../../contract/rules.ts";
import { bucketOf, hashKey } from "./bucket.ts";
import { isSameLive } from "./compiled-rollout.ts";
import { compileLanes, laneAt } from "./lanes.ts";
import { saltOf } from "./rollout-rules.ts";
import { compileKeySource } from "./statics.ts";

/** Which variant a user had under which run, by the share; or why nobody can say. */
export type Attribution = Readonly<{ variant: VariantName; run: number }> | Readonly<{ unattributed: string }>;

type Salted = Pick<Rollout, "name" | "salt" | "group">;

/** An event that may travel: its key as bucket and hash. */
export function hashedFeedback({ key, ...event }: FeedbackEvent, rollout: Salted): HashedFeedback {
  if (key === undefined) return event;
  const salt = saltOf(rollout);
  return { ...event, user: { salt, bucket: bucketOf(salt, key), hash: hashKey(salt, key) } };
}

/** The rules that held when, with those that hold now; those of more than seven days ago go, but for the ones still in force then. */
export function withServed(served: readonly ServedRules[], rollout: Rollout, live: LiveRule, nowMs: number): readonly ServedRules[] {
  const now: ServedRules = { sinceMs: nowMs, run: live.run, salt: saltOf(rollout), lanes: lanesIn(rollout), live };
  const last = served.at(-1);
  if (last !== undefined && last.salt === now.salt && isSameLive(last.live, live)) return served;
  const kept = served.filter((_, index) => (served[index + 1]?.sinceMs ?? nowMs) > nowMs - FEEDBACK_KEPT_MS);
  return [...kept, now].slice(-MAX_SERVED);
}

const lanesIn = ({ variants }: Rollout): ServedRules["lanes"] =>
  Object.fromEntries(Object.entries(variants).map(([name, { lane }]) => [name, lane === undefined ? {} : { lane }]));

/**
 * The variant that the share gave to a user at that time, as sidecars decide it. Where something else may have decided, nobody can say: off,
 * a target that names the user, the cohort of a hop before, another key than the first of the rollout, or another salt.
 */
export function attribute(served: readonly ServedRules[], rollout: Rollout, feedback: HashedFeedback, atMs: number): Attribution {
  const rules = served.findLast(({ sinceMs }) => sinceMs <= atMs);
  if (rules === undefined) return { unattributed: "it is not known which rules held then" };
  const { run, live, salt, lanes } = rules;
  const { variant, reason, user, keySource } = feedback;
  if (reason !== undefined && reason !== "share") return { unattributed: `not the share decided, but: ${reason}` };
  if (live.off) return { unattributed: "the rollout was off" };
  if (variant !== undefined) return { variant, run };
  if (user === undefined) return { unattributed: "neither a user nor a variant" };
  if (user.salt !== salt) return { unattributed: "users were hashed with another salt then" };
  if (keySource !== undefined && rollout.key.findIndex((source) => compileKeySource(source).label === keySource) !== 0)
    return { unattributed: `a key by ${keySource} decides only where no other is there` };
  if (rollout.cohort?.obey !== undefined) return { unattributed: "the cohort of a hop before decides" };
  if (rollout.targets.some(({ when }) => isNamedIn(when, user.hash))) return { unattributed: "a target names the user" };
  const lane = laneAt(compileLanes(lanes, live), user.bucket);
  return { variant: lane !== undefined && user.bucket < lane.threshold ? lane.variant : STABLE, run };
}

function isNamedIn(when: Condition, hash: string): boolean {
  let isNamed = false;
  mapLeaves(when, (leaf: Leaf) => {
    if ("userHashes" in leaf && leaf.userHashes.includes(hash)) isNamed = true;
    return leaf;
  });
  return isNamed;
}
