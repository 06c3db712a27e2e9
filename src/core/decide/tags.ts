import { isTagFact, TAG_PIECE, type TagFact } from "../../contract/tags.ts";
import { cohortMember } from "./baggage.ts";
import type { CompiledRules } from "./compile.ts";
import type { Decision } from "./types.ts";

/** A header for the upstream: its name and its value. */
export type Tag = readonly [name: string, value: string];

/** Revision of a rule set as people and upstreams read it. */
export const revisionText = ({ epoch, revision }: Pick<CompiledRules, "epoch" | "revision">): string => `${epoch}.${revision}`;

/** The tags of a decision; one without a value, like `{target}` where no target held, is left out. */
export function tagsOf(decision: Decision, rules: CompiledRules): readonly Tag[] {
  const { rollout = "", variant, run, reason, target = "" } = decision;
  const templates = rules.rollouts.get(rollout)?.variants[variant]?.tags ?? {};
  const facts: Readonly<Record<TagFact, string>> = { rollout, variant, run: String(run), revision: revisionText(rules), reason, target };
  return Object.entries(templates)
    .map(([name, template]): Tag => [name, filled(template, facts)])
    .filter(([, value]) => value !== "");
}

const filled = (template: string, facts: Readonly<Record<TagFact, string>>): string =>
  template.replace(TAG_PIECE, (piece, name?: string) => (name !== undefined && isTagFact(name) ? facts[name] : piece.slice(1)));

/** The member of the baggage that a decision sends on to later hops, where its rollout says so. */
export function sentMember({ rollout, variant }: Decision, rules: CompiledRules): string | undefined {
  if (rollout === undefined || rules.rollouts.get(rollout)?.statics.cohort?.send !== true) return undefined;
  return cohortMember(rollout, variant);
}

/** Whether a value says which target held, so that it may differ where variant and reason do not. */
export const saysTarget = (template: string): boolean =>
  [...template.matchAll(TAG_PIECE)].some(({ groups }) => groups?.["name"] === "target");
