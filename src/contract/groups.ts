import * as z from "zod";
import { LabelNameSchema, LabelValueSchema } from "./strategy.ts";

/** Labels of a sidecar, like its zone. */
export const LabelsSchema = z.record(LabelNameSchema, LabelValueSchema);

export type Labels = Readonly<z.infer<typeof LabelsSchema>>;

const GROUPS_PATTERN = /^[a-z][a-z0-9_-]{0,62}=[A-Za-z0-9._-]{1,63}(,[A-Za-z0-9._-]{1,63})*$/;

/** Groups of sidecars in a live rule, in one short text without braces and quotes: `zone=a,b`. */
export const GroupsTextSchema = z.string().max(8_192).regex(GROUPS_PATTERN, "no groups of sidecars; write them like zone=a,b");

/** Groups as a live rule names them. */
export const groupsText = (by: string, names: readonly string[]): string => `${by}=${names.join(",")}`;

/** Groups as a plan takes them: first those that it orders, then the others as they are. */
export const inOrder = (names: readonly string[], order: readonly string[]): string[] => [
  ...order.filter((name) => names.includes(name)),
  ...names.filter((name) => !order.includes(name)),
];

/** Whether a sidecar with these labels is in one of the groups. */
function isInGroups(groups: string, labels: Labels): boolean {
  const at = groups.indexOf("=");
  const own = labels[groups.slice(0, at)];
  return (
    own !== undefined &&
    groups
      .slice(at + 1)
      .split(",")
      .includes(own)
  );
}

/** A live rule as a sidecar with these labels obeys it: outside of the rule's groups nobody gets another variant by share. */
export function ruleHere<Rule extends { readonly shareBp: number; readonly groups?: string | undefined }>(
  rule: Rule,
  labels: Labels,
): Rule {
  return rule.groups === undefined || isInGroups(rule.groups, labels) ? rule : { ...rule, shareBp: 0 };
}

/** Where a plan stands among groups of sidecars. */
export const PlaceSchema = {
  groups: z.array(LabelValueSchema).min(1).describe("All groups of sidecars in their order."),
  group: z.int().min(0).describe("Newest group that is on, by its place in the order; those before it are on too."),
};
