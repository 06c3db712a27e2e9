import { z } from "zod";
import { AuditSchema, ReplySchema, SidecarIdSchema } from "./messages.ts";
import { FORMAT } from "./names.ts";
import { RunSchema } from "./rules.ts";
import { VerdictRecordSchema } from "./verdict.ts";

const SinceSchema = z.int().describe("When this phase was entered, Unix milliseconds.");
const StageIndexSchema = z.int().min(0).describe("0 is the first stage.");
const BegunSchema = z.int().nullable().describe("When every known sidecar obeyed this run, Unix milliseconds; null before.");
const ShareBpSchema = z.int().min(0).max(10_000).describe("Basis points.");
const ReasonSchema = z.string().min(1).describe("For people.");
const ServedSchema = {
  run: RunSchema,
  firstRun: RunSchema.describe("First run of this attempt; older evidence does not count."),
  sinceMs: SinceSchema,
  missing: z.array(z.string().min(1)).optional().describe("Who had not confirmed when last looked at; absent while the wait is short."),
  without: z.array(SidecarIdSchema).optional().describe("Stragglers that this attempt goes on without, by its rule; absent without any."),
};
const HeldSchema = z
  .literal(true)
  .optional()
  .describe("A sidecar that hears nothing keeps the canary: the rules said hold. Absent where it sends its shares home.");

/** What stands for the missing sidecars when none is known: nobody has shown that rules arrive anywhere. */
export const NOBODY = "no sidecar has reported";

const PendingSchema = z.strictObject({ phase: z.literal("pending"), ...ServedSchema });
const InStageSchema = z.strictObject({
  phase: z.literal("stage"),
  ...ServedSchema,
  stage: StageIndexSchema,
  begunAtMs: BegunSchema,
});
const RampSchema = z.strictObject({
  phase: z.literal("ramp"),
  ...ServedSchema,
  sinceMs: z.int().describe("When every known sidecar obeyed the first run of the ramp, Unix milliseconds; its entry before that."),
  shareBp: ShareBpSchema,
  changedAtMs: z.int().describe("When this share was set, Unix milliseconds."),
  begunAtMs: BegunSchema,
});
const HoldbackSchema = z.strictObject({ phase: z.literal("holdback"), ...ServedSchema, begunAtMs: BegunSchema });
const PausedSchema = z.strictObject({
  phase: z.literal("paused"),
  ...ServedSchema,
  stage: StageIndexSchema.describe(
    "The stage that resume returns to; the number of stages when it is the promotion. A ramp is stage 0, its holdback 1, the promotion 2.",
  ),
  shareBp: ShareBpSchema.optional().describe("Share of the ramp that resume returns to; absent of anything else."),
  reason: ReasonSchema,
});
const PromotingSchema = z.strictObject({ phase: z.literal("promoting"), ...ServedSchema });
const PromotedSchema = z.strictObject({ phase: z.literal("promoted"), ...ServedSchema, overdue: z.boolean() });
const RollingBackSchema = z.strictObject({
  phase: z.literal("rollingBack"),
  ...ServedSchema,
  reason: ReasonSchema,
  missing: z.array(SidecarIdSchema).optional().describe("Known sidecars that had not confirmed when last looked at; absent before."),
  isHeld: HeldSchema,
});
const RolledBackSchema = z.strictObject({
  phase: z.literal("rolledBack"),
  ...ServedSchema,
  reason: ReasonSchema,
  stragglers: z.array(SidecarIdSchema).describe("Known sidecars that have not confirmed the way back."),
  isHeld: HeldSchema,
});
const HandedOverSchema = z.strictObject({ phase: z.literal("handedOver"), ...ServedSchema });

/** Where a rollout stands. Every phase that is not an end has a deadline. */
export const PlanStateSchema = z.discriminatedUnion("phase", [
  PendingSchema,
  InStageSchema,
  RampSchema,
  HoldbackSchema,
  PausedSchema,
  PromotingSchema,
  PromotedSchema,
  RollingBackSchema,
  RolledBackSchema,
  HandedOverSchema,
]);

/** Live state of one rollout, written by the leader alone. */
export const LiveStateSchema = z.strictObject({
  format: z.literal(FORMAT),
  rollout: z.string(),
  planSequence: z.int().min(0).describe("Sequence of the plan in the stream of plans that this state obeys."),
  plan: PlanStateSchema,
  shareBp: z.int().min(0).max(10_000).describe("Share set now."),
  revision: z.strictObject({ epoch: z.int(), revision: z.int() }).describe("First manifest that carries this run."),
  updatedAtMs: z.int(),
  stops: z
    .array(z.strictObject({ sidecar: SidecarIdSchema, run: RunSchema, atMs: z.int() }))
    .optional()
    .describe("Sidecars that stopped the canary of the run in force by themselves; absent without any."),
  commands: z
    .array(z.strictObject({ id: z.string(), reply: ReplySchema }))
    .max(32)
    .describe("Newest last; a repeat gets the same answer."),
  outbox: z.array(AuditSchema).max(64).describe("Audit records that may not have reached the stream yet."),
});

/** Sums of one variant over the whole rollout. */
export const TotalsSchema = z.strictObject({
  decided: z.number().min(0),
  settled: z.number().min(0).describe("Of the decided: no one waits for them any more, however they ended."),
  requests: z.number().min(0).describe("Ended, and speak for or against the variant."),
  failed: z.number().min(0),
});

/** What the judge knows of one rollout, with the cursors of the evidence that led there, written together at most once a second. */
export const JudgeRecordSchema = z.strictObject({
  format: z.literal(FORMAT),
  rollout: z.string(),
  firstRun: RunSchema,
  judge: z.json().describe("State of the judge; its form is the judge's own."),
  cursors: z.json().describe("Per sidecar and series: the cumulative values already counted."),
  users: z
    .json()
    .optional()
    .describe("Failing users that the judge was told of already; absent before the first request that a share decided."),
  own: z.json().optional().describe("Gauges of the rollout's own checks, and feedback that waits; absent before the first."),
  totals: z.strictObject({ stable: TotalsSchema, canary: TotalsSchema, control: TotalsSchema }),
  shareSeenBp: z.int().min(0).max(10_000).nullable().describe("Canary's part of the decisions of the current run; null without any."),
  source: z
    .literal("prometheus")
    .optional()
    .describe(
      "Where counts come from what Prometheus scraped, which knows neither users nor halves of stable; absent where sidecars send them.",
    ),
  verdict: VerdictRecordSchema.nullable(),
});

const FleetMemberSchema = z.strictObject({
  firstSeenMs: z.int(),
  startedAtMs: z.int(),
  silentSinceMs: z.int().optional().describe("Its last word, Unix milliseconds, where that is long ago; absent while it is heard."),
});

/** Sidecars that must confirm each run: silent ones stay until goodbye or `forget`. */
export const FleetSchema = z.strictObject({
  format: z.literal(FORMAT),
  sidecars: z.record(SidecarIdSchema, FleetMemberSchema),
});

export type PlanState = z.infer<typeof PlanStateSchema>;
export type Phase = PlanState["phase"];
export type LiveState = z.infer<typeof LiveStateSchema>;
export type JudgeRecord = z.infer<typeof JudgeRecordSchema>;
export type Totals = z.infer<typeof TotalsSchema>;
export type Fleet = z.infer<typeof FleetSchema>;
