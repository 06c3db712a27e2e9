import * as z from "zod";
import { WhoSchema } from "./messages.ts";
import { FORMAT } from "./names.ts";
import { UsedTemplateSchema } from "./templates.ts";

/** A rollout as applied: the plan that the controller carries out, kept with its history in the stream of plans. */
export const StoredPlanSchema = z.strictObject({
  format: z.literal(FORMAT),
  document: z.unknown().describe("The rollout in its input form, shares and durations as written, users hashed."),
  template: UsedTemplateSchema.optional().describe("The template that the rollout's strategy uses, as it was then; absent without one."),
  who: WhoSchema,
  atMs: z.int().describe("When it was applied, Unix milliseconds by the leader's clock."),
  reason: z.string().optional().describe("What the operator gave as reason."),
  atOnce: z.literal(true).optional().describe("An undo: everyone gets it as soon as its rules are confirmed."),
  commandId: z.string().describe("The `apply` that brought it; a repeat of that command stores nothing."),
});

export type StoredPlan = z.infer<typeof StoredPlanSchema>;
