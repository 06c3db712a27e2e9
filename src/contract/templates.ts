import * as z from "zod";
import { NameSchema } from "./name-schema.ts";
import { PRESETS } from "./stages.ts";
import { OwnStrategySchema } from "./strategy.ts";

/** A strategy that a team keeps under a name; rollouts ask for it by `strategy: { use: NAME }`. */
export const TemplateSchema = z.strictObject({
  apiVersion: z.literal("serin/v1").describe("Version of this file's form."),
  kind: z.literal("Template").describe("What this file is."),
  name: NameSchema.refine((name) => !Object.hasOwn(PRESETS, name), "the name of a preset; give the template a name of its own").describe(
    "Name of the template.",
  ),
  strategy: OwnStrategySchema.describe("What a rollout that uses it does; written out."),
});

/** The template that a rollout uses, as it was when the rollout was applied. */
export const UsedTemplateSchema = z.strictObject({
  name: NameSchema,
  strategy: z.unknown().describe("As written."),
});

export type TemplateInput = z.input<typeof TemplateSchema>;
export type UsedTemplate = z.infer<typeof UsedTemplateSchema>;

/** The name of the template that a document asks for; undefined where it asks for none, or is no rollout. */
export function templateIn(document: unknown): string | undefined {
  const { use } = Object(Object(document).strategy);
  return typeof use === "string" && !Object.hasOwn(PRESETS, use) ? use : undefined;
}

/** A document with its strategy written out. */
export const withTemplate = (document: unknown, template: UsedTemplate | undefined): unknown =>
  template === undefined ? document : { ...Object(document), strategy: template.strategy };
