import * as z from "zod";
import { LabelsSchema } from "./groups.ts";
import { NameSchema } from "./name-schema.ts";
import { FORMAT } from "./names.ts";
import { RunSchema } from "./rules.ts";
import { VariantNameSchema } from "./variants.ts";

/** A name that can be a token of a NATS subject. */
export const SidecarIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, "not an id; use letters, digits, - and _");

const AtMsSchema = z.int().describe("Unix milliseconds by the writer's clock.");

/** How a sidecar stands: `stale` after 5 s without a beat, `unwatched` after 30 s. */
export const SidecarStateSchema = z.enum(["ok", "stale", "unwatched", "goodbye"]);

/** Whether a sidecar obeys an operator's order that it heard. */
export const HeardOrderSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .describe("First 16 hex digits of the sha256 of the signed order as it travels."),
  isObeyed: z.boolean(),
  problem: z.string().max(500).optional().describe("Why it is not obeyed."),
});

/** So many orders a sidecar tells of, the newest last. */
export const MAX_HEARD_ORDERS = 8;

/** A canary that a sidecar stopped by itself. */
const StoppedSchema = z.strictObject({
  rollout: NameSchema,
  run: RunSchema,
  atMs: AtMsSchema,
  failures: z.int().min(1).describe("In a row."),
  users: z.int().min(1).describe("Of so many users, or more."),
});

/** A sidecar's word of which revision it obeys, and since when. */
export const ReceiptSchema = z.strictObject({
  format: z.literal(FORMAT),
  sidecar: SidecarIdSchema,
  epoch: z.int().min(0),
  revision: z.int().min(0),
  sinceMs: AtMsSchema.describe("When this revision took force, Unix milliseconds by the sidecar's clock."),
  atMs: AtMsSchema,
  startedAtMs: AtMsSchema.describe("Start of the process."),
  labels: LabelsSchema.optional().describe("As the sidecar was started with, like its zone; absent without any."),
  state: SidecarStateSchema,
  beatAgeMs: z.int().min(0).optional().describe("Age of the last beat; absent before the first."),
  rejected: z.int().min(0).describe("Rule sets refused since the start."),
  problem: z.string().max(2_000).optional().describe("Why the newest rule set was refused."),
  stopped: z
    .array(StoppedSchema)
    .max(100)
    .optional()
    .describe("Canaries that it stopped by itself, under the runs in force; of more, others each time; absent without any."),
  orders: z.array(HeardOrderSchema).max(MAX_HEARD_ORDERS).optional().describe("Operators' orders heard last; absent before the first."),
});

/** A command is one message of NATS, 1 MiB by default; the chunks of a segment of the largest size are a sixth of that. */
const MAX_CHUNK_TEXT = 900_000;

export const VerbSchema = z.enum([
  "apply",
  "promote",
  "pause",
  "resume",
  "abort",
  "retry",
  "undo",
  "handover",
  "forget",
  "store",
  "delete",
  "freeze",
  "unfreeze",
]);

export const WhoSchema = z.strictObject({
  name: z.string().min(1).max(200),
  claimed: z.boolean().describe("True when nothing but the sender vouches for the name."),
});

/** Names one command; a repeat has the same. */
export const CommandIdSchema = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/);

/** An operator's request to the leader; the id makes a repeat harmless. */
export const CommandSchema = z
  .strictObject({
    format: z.literal(FORMAT),
    id: CommandIdSchema,
    verb: VerbSchema,
    rollout: NameSchema.optional().describe("Absent for `forget`, `store`, `freeze`, `unfreeze`, segments and the policy."),
    sidecar: SidecarIdSchema.optional().describe("For `forget`."),
    document: z
      .unknown()
      .optional()
      .describe("For `apply`: the rollout as written, users hashed; or a segment, users in chunks; or the policy."),
    chunk: z
      .string()
      .max(MAX_CHUNK_TEXT)
      .optional()
      .describe("For `store`: users of a segment, hashed and sorted, eight bytes each, in base64."),
    full: z.boolean().optional().describe("For `promote`: straight to 100 %."),
    variant: VariantNameSchema.optional().describe("For `promote` of an A/B test: the variant that everyone gets; the first when absent."),
    override: z.boolean().optional().describe("For `promote`: in spite of what holds the rollout, like a freeze; it needs a reason."),
    now: z.boolean().optional().describe("For `abort`: everyone at once, whatever steps the rollout's `retreat` asks for."),
    untilMs: z.int().optional().describe("For `freeze`: when it ends by itself, Unix milliseconds."),
    dryRun: z.boolean().optional().describe("For `apply`: check, store nothing."),
    who: WhoSchema,
    reason: z.string().max(1_000).optional(),
    pass: z
      .string()
      .max(4_096)
      .optional()
      .describe("An operator's signed word for who sends it; absent where nothing but the sender vouches."),
  })
  .refine(({ override, reason = "" }) => override !== true || reason.trim() !== "", {
    path: ["reason"],
    message: "an override needs a reason; give one by --reason",
  });

/** The leader's answer to a command. */
export const ReplySchema = z.strictObject({
  format: z.literal(FORMAT),
  id: z.string(),
  result: z.enum(["done", "unchanged", "refused", "invalid", "failed"]),
  message: z.string().describe("For people: what was done, or why not and what to do."),
  phase: z.string().optional().describe("Phase of the rollout afterwards."),
  run: RunSchema.optional(),
  lacking: z.array(z.string()).optional().describe("For a segment's `apply`: hashes of chunks to `store` first."),
});

const PlaceSchema = {
  phase: z.string().describe("Phase of the plan."),
  stage: z.int().min(1).optional().describe("The stage, counted from 1; absent where there is none."),
  of: z.int().min(1).optional().describe("Number of stages; absent where there is no stage."),
};

/** One line of the append-only audit stream; its id is the message id that removes duplicates. */
export const AuditSchema = z.strictObject({
  format: z.literal(FORMAT),
  id: z.string(),
  atMs: AtMsSchema,
  rollout: NameSchema.optional().describe("Absent where it is about the whole mesh, like a freeze."),
  action: z.string().describe("What happened, like `apply`, `stage`, `rollback`, `promoted`."),
  who: WhoSchema,
  reason: z.string().optional(),
  run: RunSchema.optional(),
  shareBp: z.int().optional(),
  attempt: RunSchema.optional().describe("First run of the attempt."),
  ...PlaceSchema,
  phase: PlaceSchema.phase.optional(),
  before: z
    .strictObject({ ...PlaceSchema, shareBp: z.int() })
    .optional()
    .describe("Where the rollout stood before; absent where it stays there."),
  detail: z.json().optional().describe("The verdict's record, as it was when this happened."),
});

/** What Envoy keeps as dynamic metadata under the namespace `serin` and gives back in its access log. */
export const DecisionMetadataSchema = z.object({
  variant: z.string(),
  rollout: z.string().optional(),
  run: z.string().optional().describe("Decimal; strings survive Envoy's doubles."),
  revision: z.string().optional().describe("`epoch.revision`."),
  cluster: z.string().optional().describe("Envoy cluster of the decided variant."),
  bucket: z.number().optional().describe("32 bits, which a double holds."),
  reason: z.string(),
  session: z.literal("true").optional().describe("The request asks for another protocol, as a WebSocket does: nobody waits for its end."),
  mirrored: z.enum(["true", "false"]).optional().describe("Whether a shadow got a copy, where the rollout has one."),
  also: z.string().optional().describe("Rollouts that only set tags: `name:variant:run:control:bucket`, with a blank between."),
  control: z.enum(["true", "false"]).optional().describe("In the slice of stable that is counted apart."),
  outcome: z.string().optional().describe("What a log of lines gives back: `bucket:marks:run:variant:rollout:cluster`."),
});

export type Stopped = z.infer<typeof StoppedSchema>;
export type HeardOrder = z.infer<typeof HeardOrderSchema>;
export type Receipt = z.infer<typeof ReceiptSchema>;
export type SidecarState = z.infer<typeof SidecarStateSchema>;
export type Verb = z.infer<typeof VerbSchema>;
export type Who = z.infer<typeof WhoSchema>;
export type Command = z.infer<typeof CommandSchema>;
export type Reply = z.infer<typeof ReplySchema>;
export type Audit = z.infer<typeof AuditSchema>;
