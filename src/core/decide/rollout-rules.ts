import { type Condition, type Leaf, mapLeaves } from "../../contract/conditions.ts";
import { reflexOf } from "../../contract/reflex.ts";
import type { Rollout, RolloutInput } from "../../contract/rollout.ts";
import type { StaticRules } from "../../contract/rules.ts";
import { packUsers, tableOfHashes } from "../../contract/user-lists.ts";
import { hashKey } from "./bucket.ts";

/** What a rollout's buckets are salted by: its own salt, its group, or its name. */
export const saltOf = ({ name, salt, group }: { name: string; salt?: string | undefined; group?: string | undefined }): string =>
  salt ?? group ?? name;

/** Longer lists of users are packed: a shorter one is worth reading. */
const PACKED_ABOVE = 1_000;

/** What sidecars need of a rollout, with users as hashes, and long lists of them packed. */
export function staticRulesOf(rollout: Rollout): StaticRules {
  const salt = saltOf(rollout);
  return {
    match: rollout.match,
    key: rollout.key,
    salt,
    variants: rollout.variants,
    targets: rollout.targets.map((target) => ({ ...target, when: packedCondition(hashedCondition(target.when, salt)) })),
    ...(rollout.cohort !== undefined && { cohort: cohortOf(rollout.cohort, rollout.name) }),
    ...(rollout.mirror !== undefined && { mirror: mirrorOf(rollout.mirror) }),
    ...(rollout.mix !== undefined && { mix: rollout.mix }),
    ...(rollout.reflex !== undefined && { reflex: reflexOf(rollout.reflex) }),
  };
}

const cohortOf = ({ send, obey }: NonNullable<Rollout["cohort"]>, name: string): StaticRules["cohort"] => ({
  send,
  ...(obey !== undefined && { obey: obey === true ? name : obey }),
});

const mirrorOf = ({ cluster, share: shareBp, methods }: NonNullable<Rollout["mirror"]>): StaticRules["mirror"] => ({
  cluster,
  shareBp,
  methods,
});

/** The document as written, with raw users replaced by hashes: what leaves the operator's machine. */
export function hashUsers<Document extends Pick<RolloutInput, "name" | "salt" | "group" | "targets">>(document: Document): Document {
  if (document.targets === undefined) return document;
  const salt = saltOf(document);
  return { ...document, targets: document.targets.map((target) => ({ ...target, when: hashedCondition(target.when, salt) })) };
}

const hashedCondition = (condition: Condition, salt: string): Condition =>
  mapLeaves(condition, (leaf: Leaf): Leaf => ("users" in leaf ? { userHashes: leaf.users.map((user) => hashKey(salt, user)) } : leaf));

const packedCondition = (condition: Condition): StaticRules["targets"][number]["when"] =>
  "userHashes" in condition && condition.userHashes.length > PACKED_ABOVE
    ? { packedUsers: packUsers(tableOfHashes(condition.userHashes)) }
    : condition;
