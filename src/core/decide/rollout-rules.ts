import type { Condition, Rollout, RolloutInput } from "../../contract/rollout.ts";
import type { StaticRules } from "../../contract/rules.ts";
import { hashKey } from "./bucket.ts";

/** The salt of a rollout: its own, or its name. */
export const saltOf = ({ name, salt }: { name: string; salt?: string | undefined }): string => salt ?? name;

/** What sidecars need of a rollout, with users as hashes. */
export function staticRulesOf(rollout: Rollout): StaticRules {
  const salt = saltOf(rollout);
  return {
    match: rollout.match,
    key: rollout.key,
    salt,
    variants: rollout.variants,
    targets: rollout.targets.map((target) => ({ ...target, when: hashedCondition(target.when, salt) })),
  };
}

/** The document as written, with raw users replaced by hashes: what leaves the operator's machine. */
export function hashUsers<Document extends Pick<RolloutInput, "name" | "salt" | "targets">>(document: Document): Document {
  if (document.targets === undefined) return document;
  const salt = saltOf(document);
  return { ...document, targets: document.targets.map((target) => ({ ...target, when: hashedCondition(target.when, salt) })) };
}

function hashedCondition(condition: Condition, salt: string): Condition {
  return "users" in condition ? { userHashes: condition.users.map((user) => hashKey(salt, user)) } : condition;
}
