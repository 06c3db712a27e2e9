import * as z from "zod";
import { BlastRadiusSchema } from "./blast-radius.ts";
import { FailingUsersSchema } from "./failing-users.ts";
import { ModeSchema } from "./gates.ts";
import { LabelsSchema } from "./groups.ts";
import { KillOrderSchema } from "./kills.ts";
import { JudgeRecordSchema, LiveStateSchema, PlanStateSchema } from "./live.ts";
import { SidecarIdSchema, SidecarStateSchema } from "./messages.ts";
import { MixFiguresSchema } from "./mix-evidence.ts";
import { NameSchema } from "./name-schema.ts";
import { StragglersSchema } from "./stragglers.ts";
import type { Strategy } from "./strategy.ts";
import { VariantReportSchema } from "./variant-report.ts";

const ShareBpSchema = z.int().min(0).max(10_000).describe("Basis points.");
const MsSchema = z.int().min(0).describe("Milliseconds.");

const RampShapeSchema = z.strictObject({
  startBp: ShareBpSchema.optional().describe("Share of the first step; absent where it follows from the budget."),
  budget: z.int().describe("Failed requests that a dead canary costs at the first share until it is seen; no limit on what follows."),
  minTimeMs: MsSchema,
  maxTimeMs: MsSchema,
  holdback: z.strictObject({ shareBp: ShareBpSchema, timeMs: MsSchema, again: z.int().min(0).describe("How often it may begin anew.") }),
});

const AnswersSchema = z.strictObject({ requests: z.int().min(0), failed: z.int().min(0) });
const ShadowTotalsSchema = z
  .strictObject({ shadow: AnswersSchema, shadowed: AnswersSchema.describe("Stable's answers to the requests that were copied.") })
  .describe("What the copies came to; absent before the first, and after the shadow.");

const StragglerSchema = z.strictObject({
  sidecar: z.string(),
  sinceMs: z.int().describe("Since when it is to confirm, Unix milliseconds."),
  silentSinceMs: z.int().nullable().describe("Its last word, Unix milliseconds; null while it is heard."),
  isLeftBehind: z.boolean().describe("The rollout goes on without it, by its rule."),
});

/** A sidecar that has not confirmed what a rollout serves now. */
export type Straggler = Readonly<z.infer<typeof StragglerSchema>>;

/** One rollout as operators see it. */
export const RolloutPictureSchema = z.strictObject({
  name: NameSchema,
  plan: PlanStateSchema.describe("Where it stands."),
  stages: z.int().min(0).describe("Number of stages; 0 of a ramp."),
  ramp: RampShapeSchema.nullable().describe("Null where there are stages."),
  strategy: z.custom<Strategy>().optional().describe("As parsed; a preset or template by its name."),
  next: z.string().nullable().describe("What a ramp waits for, for people; null of anything else."),
  stragglers: z.array(StragglerSchema).describe("Who has not confirmed what is served now; empty while the wait is short."),
  stragglerRule: z
    .strictObject({ after: MsSchema, action: StragglersSchema.shape.action.unwrap() })
    .nullable()
    .describe("What becomes of them; null where the plan could not be read."),
  stops: LiveStateSchema.shape.stops.unwrap().describe("Sidecars that stopped the canary of the run in force by themselves."),
  shareBp: ShareBpSchema.describe("Share set now, in basis points."),
  updatedAtMs: z.int().describe("Unix milliseconds."),
  judge: JudgeRecordSchema.pick({ verdict: true, totals: true, shareSeenBp: true, source: true })
    .extend({ shadow: ShadowTotalsSchema.optional() })
    .nullable(),
  failingUsers: FailingUsersSchema.nullable().describe("Null while no user is known to have failed in this attempt."),
  mix: MixFiguresSchema.nullable().describe("Null where the rollout asks for no mix, and before any user was counted in this attempt."),
  blastRadius: z
    .strictObject({
      allowed: BlastRadiusSchema,
      spent: z.strictObject({ failedRequests: z.int().min(0), failedUsers: z.int().min(0) }).describe("So far."),
    })
    .nullable()
    .describe("What it may cost and has cost; null where it has no such limit."),
  template: z.string().nullable().describe("The template that its strategy came from; null without one."),
  report: VariantReportSchema.nullable().describe("What a test of variants shows; null of any other rollout."),
  mode: ModeSchema.optional().describe("Who moves it; absent where the plan could not be read."),
  asked: LiveStateSchema.shape.asked,
  lastAction: z.string().nullable(),
  seen: z.string().nullable().describe("What stable last showed, where evidence of the hand-over is waited for; null else."),
  waiting: z
    .strictObject({ planSequence: z.int(), sinceMs: z.int().describe("Unix milliseconds."), who: z.string() })
    .nullable()
    .describe("A newer version that begins when this one has ended; null without one."),
});

const SidecarPictureSchema = z.strictObject({
  id: SidecarIdSchema,
  heard: z.boolean().describe("Whether it was heard while somebody listened, a second or so."),
  state: SidecarStateSchema.nullable().describe("Null where it was not heard."),
  isCurrent: z.boolean().describe("Whether it obeys the newest rules."),
  obeys: z
    .strictObject({ epoch: z.int(), revision: z.int(), sinceMs: z.int().describe("Unix milliseconds by the sidecar's clock.") })
    .nullable()
    .describe("The rules that it obeys, and since when; null where it was not heard."),
  heardAtMs: z.int().nullable().describe("Its last word, Unix milliseconds; null where it was not heard and is not known to be silent."),
  labels: LabelsSchema.describe("As it was started with, like its zone; empty where it was not heard."),
  problem: z.string().nullable().describe("Why it refuses rules."),
});

const KeepingSchema = z
  .strictObject({
    cluster: z.string().describe("Its name."),
    replicas: z.int().min(1).describe("Servers of it that keep live state."),
    leads: z.string().nullable().describe("The one that takes writes; null while too few answer each other, and nothing can be written."),
    behind: z.array(z.string()).describe("Those that are away, or have not all of it yet."),
  })
  .describe("How a cluster of NATS keeps live state; absent where NATS is one server.");

/** How a cluster of NATS keeps live state. */
export type Keeping = Readonly<z.infer<typeof KeepingSchema>>;

/** Everything that `status` tells. */
export const PictureSchema = z.strictObject({
  leader: z.strictObject({ holder: z.string(), term: z.int(), ageMs: MsSchema }).nullable().describe("Null when nobody leads."),
  sidecars: z.array(SidecarPictureSchema),
  rollouts: z.array(RolloutPictureSchema).describe("By name."),
  orders: z.array(KillOrderSchema).describe("Operators' orders to switch off that stand in NATS; who signed them is not checked."),
  freeze: z.string().nullable().describe("Why nothing advances in the whole mesh; null while no freeze is in force."),
  nats: KeepingSchema.optional(),
});

export type RolloutPicture = Readonly<z.infer<typeof RolloutPictureSchema>>;
export type Picture = Readonly<z.infer<typeof PictureSchema>>;
