import * as z from "zod";
import { AtLimitSchema } from "./gates.ts";
import { PlaceSchema } from "./groups.ts";
import { HeldSchema } from "./held.ts";
import { AuditSchema, ReplySchema, SidecarIdSchema, VerbSchema, WhoSchema } from "./messages.ts";
import { FORMAT } from "./names.ts";
import { ReturnsSchema } from "./ramp.ts";
import { LeftSchema } from "./retreat.ts";
import { RunSchema } from "./rules.ts";
import { VariantsTotalsSchema } from "./variant-report.ts";
import { WinnerSchema } from "./variants.ts";
import { VerdictRecordSchema } from "./verdict.ts";

const SinceSchema = z.int().describe("When this phase was entered, Unix milliseconds; later by the time that it was held.");
const StageIndexSchema = z.int().min(0).describe("0 is the first stage.");
const BegunSchema = z.int().nullable().describe("When every known sidecar obeyed this run, Unix milliseconds; null before.");
const ShareBpSchema = z.int().min(0).max(10_000).describe("Basis points.");
const ReasonSchema = z.string().min(1).describe("For people.");
const WouldSchema = z
  .strictObject({
    action: z.string().min(1).describe("Like `rollback`."),
    reason: ReasonSchema,
    atMs: z.int().describe("When that was found first, Unix milliseconds."),
  })
  .optional()
  .describe("The way back that evidence would take of a rollout that is only observed; absent where it asked for none.");
const ServedSchema = {
  run: RunSchema,
  firstRun: RunSchema.describe("First run of this attempt; older evidence does not count."),
  sinceMs: SinceSchema,
  would: WouldSchema,
  missing: z.array(z.string().min(1)).optional().describe("Who had not confirmed when last looked at; absent while the wait is short."),
  without: z.array(SidecarIdSchema).optional().describe("Stragglers that this attempt goes on without, by its rule; absent without any."),
};
const IsHeldSchema = z
  .literal(true)
  .optional()
  .describe("A sidecar that hears nothing keeps the canary: the rules said hold. Absent where it sends its shares home.");

/** What stands for the missing sidecars when none is known: nobody has shown that rules arrive anywhere. */
export const NOBODY = "no sidecar has reported";

const AtOnceSchema = z.literal(true).optional().describe("Everyone gets it when its rules are confirmed: an undo.");
const QueuedSchema = z.strictObject({
  phase: z.literal("queued"),
  ...ServedSchema,
  reason: ReasonSchema.describe("What it waits for, like its place in the queue, for people."),
  atOnce: AtOnceSchema,
});
const PendingSchema = z.strictObject({
  phase: z.literal("pending"),
  ...ServedSchema,
  held: HeldSchema,
  atOnce: AtOnceSchema,
});
const InStageSchema = z.strictObject({
  phase: z.literal("stage"),
  ...ServedSchema,
  stage: StageIndexSchema,
  begunAtMs: BegunSchema,
  held: HeldSchema,
});
const InRampSchema = { begunAtMs: BegunSchema, held: HeldSchema, returns: ReturnsSchema };
const RampSchema = z.strictObject({
  phase: z.literal("ramp"),
  ...ServedSchema,
  sinceMs: z.int().describe("When every known sidecar obeyed the first run of the ramp, Unix milliseconds; its entry before that."),
  shareBp: ShareBpSchema,
  changedAtMs: z.int().describe("When this share was set, Unix milliseconds."),
  ...InRampSchema,
});
const HoldbackSchema = z.strictObject({ phase: z.literal("holdback"), ...ServedSchema, ...InRampSchema });
const PreviewSchema = z.strictObject({ phase: z.literal("preview"), ...ServedSchema, held: HeldSchema });
const ShadowSchema = z.strictObject({ phase: z.literal("shadow"), ...ServedSchema, held: HeldSchema });
const TrialSchema = z.strictObject({ phase: z.literal("trial"), ...ServedSchema, begunAtMs: BegunSchema });
const DecisionSchema = z.strictObject({ phase: z.literal("decision"), ...ServedSchema });
const OnSchema = z.strictObject({ phase: z.literal("on"), ...ServedSchema, begunAtMs: BegunSchema, overdue: z.boolean() });
const GroupSchema = z.strictObject({
  phase: z.literal("group"),
  ...ServedSchema,
  ...PlaceSchema,
  begunAtMs: BegunSchema,
  held: HeldSchema,
});
const PausedSchema = z.strictObject({
  phase: z.literal("paused"),
  ...ServedSchema,
  stage: StageIndexSchema.describe(
    "The stage that resume returns to; the number of stages when it is the promotion. A ramp is stage 0, its holdback 1, the promotion 2.",
  ),
  shareBp: ShareBpSchema.optional().describe("Share of the ramp that resume returns to; absent of anything else."),
  from: z
    .enum(["preview", "shadow", "group"])
    .optional()
    .describe("The phase that resume returns to, where it is none of stage, ramp, holdback and promotion; the stage is 0 then."),
  groups: PlaceSchema.groups.optional(),
  group: PlaceSchema.group.optional(),
  winner: WinnerSchema,
  reason: ReasonSchema,
});
const PromotingSchema = z.strictObject({ phase: z.literal("promoting"), ...ServedSchema, winner: WinnerSchema });
const PromotedSchema = z.strictObject({ phase: z.literal("promoted"), ...ServedSchema, winner: WinnerSchema, overdue: z.boolean() });
const RollingBackSchema = z.strictObject({
  phase: z.literal("rollingBack"),
  ...ServedSchema,
  reason: ReasonSchema,
  missing: z.array(SidecarIdSchema).optional().describe("Known sidecars that had not confirmed when last looked at; absent before."),
  isHeld: IsHeldSchema,
  left: LeftSchema.optional().describe("What is still on the canary, of a way back in steps; absent when everyone is to be on stable."),
  changedAtMs: z.int().optional().describe("When the last step was set, Unix milliseconds; absent where everyone went at once."),
});
const RolledBackSchema = z.strictObject({
  phase: z.literal("rolledBack"),
  ...ServedSchema,
  reason: ReasonSchema,
  stragglers: z.array(SidecarIdSchema).describe("Known sidecars that have not confirmed the way back."),
  isHeld: IsHeldSchema,
});
const HandedOverSchema = z.strictObject({ phase: z.literal("handedOver"), ...ServedSchema });

const plainSchemas = [
  QueuedSchema,
  PendingSchema,
  InStageSchema,
  RampSchema,
  HoldbackSchema,
  PreviewSchema,
  ShadowSchema,
  TrialSchema,
  DecisionSchema,
  OnSchema,
  GroupSchema,
  PausedSchema,
  PromotingSchema,
  PromotedSchema,
  RollingBackSchema,
  RolledBackSchema,
  HandedOverSchema,
] as const;
const PlainStateSchema = z.discriminatedUnion("phase", plainSchemas);

const GateStateSchema = z.strictObject({
  phase: z.literal("gate"),
  ...ServedSchema,
  gate: z
    .enum(["stage", "promotion", "mode"])
    .describe("Whose gate it is: the stage's, the promotion's, or one that `mode: advise` asks at."),
  asks: z
    .strictObject({
      approvers: z.array(z.string().min(1)).min(1).optional().describe("Whose word passes it; anybody's when absent."),
      limitMs: z.int().min(1).describe("Longest wait."),
      atLimit: AtLimitSchema,
    })
    .describe("Whose word it waits for, for how long, and what follows then."),
  from: PlainStateSchema.describe("The phase whose share is served while it waits."),
  to: z
    .strictObject({
      state: PlainStateSchema,
      shareBp: ShareBpSchema,
      action: z.string().min(1),
      reason: ReasonSchema,
      atMs: z.int().describe("When it was asked, Unix milliseconds; times of the state that are the same begin when it is passed."),
    })
    .describe("The step that it asks for."),
  said: z.string().min(1).optional().describe("What its webhook answered last; absent before."),
  held: HeldSchema,
});

/** Where a rollout stands. Every phase that is not an end has a deadline. */
export const PlanStateSchema = z.discriminatedUnion("phase", [...plainSchemas, GateStateSchema]);

/** The phase whose share is served: that of a gate is where it waits. */
export const servedPhase = (plan: PlanState): PlainState => (plan.phase === "gate" ? plan.from : plan);

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
  seen: ReasonSchema.optional().describe("What was seen last where evidence of the hand-over is waited for; absent before."),
  asked: z
    .strictObject({ verb: VerbSchema, who: WhoSchema, reason: z.string().optional(), atMs: z.int() })
    .optional()
    .describe("What a person asked last that was done; absent before the first."),
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
  variants: VariantsTotalsSchema.optional().describe("Sums of each variant; absent in records of versions that had none."),
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
/** Any but that of a gate, which waits in one of these. */
export type PlainState = z.infer<typeof PlainStateSchema>;
export type Phase = PlanState["phase"];
export type LiveState = z.infer<typeof LiveStateSchema>;
export type JudgeRecord = z.infer<typeof JudgeRecordSchema>;
export type Fleet = z.infer<typeof FleetSchema>;
export type Totals = z.infer<typeof TotalsSchema>;
