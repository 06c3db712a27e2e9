import * as z from "zod";
import { WhoSchema } from "./messages.ts";
import { NameSchema } from "./name-schema.ts";
import { RunSchema } from "./rules.ts";
import { VerdictSchema } from "./verdict.ts";

const AtMsSchema = z.int().describe("Unix milliseconds.");

/** How an attempt stands or ended; `running` is none of the ends. */
const OUTCOMES = ["running", "promoted", "handedOver", "rolledBack"] as const;

/** One step of an attempt, as the audit tells it. */
const HistoryStepSchema = z.strictObject({
  atMs: AtMsSchema,
  action: z.string().describe("What happened, as the audit calls it."),
  who: WhoSchema,
  reason: z.string().optional(),
  run: RunSchema.optional(),
  shareBp: z.int().optional().describe("Share afterwards, in basis points."),
});

/** One plan of a rollout, from `apply` to its end. */
export const AttemptSchema = z.strictObject({
  attempt: RunSchema.describe("Its first run."),
  runs: z.int().min(1).describe("Runs that it had."),
  who: WhoSchema.describe("Who began it."),
  reason: z.string().optional().describe("What they gave as reason."),
  beganAtMs: AtMsSchema,
  outcome: z.enum(OUTCOMES).describe("`running` while it has not ended; `promoted` waits for hand-over."),
  endedAtMs: AtMsSchema.nullable().describe("When it was handed over or was back on stable; null before."),
  lastedMs: z.int().min(0).describe("From its begin to its end, or to its last step."),
  why: z.string().describe("Why it stands or ended so: the reason of its last rollback, or else of its last step."),
  by: WhoSchema.describe("Who caused that."),
  topShareBp: z.int().min(0).max(10_000).describe("Largest share that it had, in basis points."),
  verdict: z
    .strictObject({ verdict: VerdictSchema, reason: z.string(), atMs: AtMsSchema })
    .nullable()
    .describe("The last verdict that the audit holds of it; null without any."),
  steps: z.array(HistoryStepSchema).describe("Oldest first."),
});

/** What `serin history NAME` tells. */
export const HistorySchema = z.strictObject({
  rollout: NameSchema,
  attempts: z.array(AttemptSchema).describe("Newest first."),
});

export type Attempt = Readonly<z.infer<typeof AttemptSchema>>;
export type History = Readonly<z.infer<typeof HistorySchema>>;
