import * as z from "zod";
import { DurationSchema } from "./units.ts";
import { WebhookSchema } from "./webhooks.ts";

const DAY_MS = 24 * 3_600_000;

/** What a gate does that nobody passes within its limit. */
export const AtLimitSchema = z.enum(["abort", "promote", "pause"]);

/** Where a rollout asks before it goes on. It goes on being judged, and back where the evidence says so. */
export const GateSchema = z.strictObject({
  approvers: z
    .array(z.string().min(1).max(200))
    .min(1)
    .max(50)
    .optional()
    .describe("Names of those whose `promote` passes it; anyone's when absent. Anyone may abort."),
  webhook: WebhookSchema.optional().describe(
    "A service that is asked while it waits: `advance` passes it, `rollback` goes back, `hold` and `unknown` wait on.",
  ),
  limit: DurationSchema.refine((ms) => ms > 0, "no time to ask anybody; write one like 24h")
    .default(DAY_MS)
    .describe("Longest wait; 24h when absent."),
  atLimit: AtLimitSchema.default("abort").describe(
    "What follows then: back to stable, on as soon as the evidence still says so, or a pause. `abort` when absent.",
  ),
});

/** What is asked before everyone gets the canary. */
export const PromotionSchema = z.strictObject({ gate: GateSchema.describe("Asked before 100%, whatever step leads there.") });

/** Who moves the rollout. */
export const ModeSchema = z
  .enum(["observe", "advise", "act"])
  .default("act")
  .describe(
    "`act`: evidence moves it; `advise`: each step on waits for a person, going back does not; `observe`: evidence moves nothing, and it is said what would be done. `act` when absent.",
  );

/** A parsed gate: times in milliseconds. */
export type Gate = z.infer<typeof GateSchema>;
export type Mode = z.infer<typeof ModeSchema>;
