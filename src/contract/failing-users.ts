import * as z from "zod";
import { SidecarIdSchema } from "./messages.ts";
import { NameSchema } from "./name-schema.ts";
import { FORMAT } from "./names.ts";
import { VariantNameSchema } from "./rollout.ts";
import { RunSchema } from "./rules.ts";

/** Number of hashes that a user can have: 2³². */
export const KEY_HASHES = 4_294_967_296;

/** The most users that one sketch keeps: exact up to here, a sample of 3 % relative error (one over the root) beyond. */
export const SKETCH_CAPACITY = 1_024;

/** Users as hashes under the rollout's salt, with their failing requests; beyond the capacity a sample of the lowest hashes. */
export const StoredSketchSchema = z
  .strictObject({
    theta: z.int().min(1).max(KEY_HASHES).describe("Hashes below it are all kept, others none; 2³² when every user is kept."),
    steps: z.array(z.int().min(0)).max(SKETCH_CAPACITY).describe("Hashes in ascending order: the first, then each difference."),
    requests: z.array(z.int().min(0)).max(SKETCH_CAPACITY).describe("Failing requests of each."),
  })
  .refine(({ steps, requests }) => steps.length === requests.length, "not as many requests as hashes")
  .refine(({ steps }) => steps.every((step, index) => index === 0 || step > 0), "a hash stands twice")
  .refine(({ theta, steps }) => steps.reduce((sum, step) => sum + step, 0) < theta || steps.length === 0, "a hash is not below theta");

/** Users that failed under one run on one variant, cumulative since the process began. */
const RunSketchSchema = z.strictObject({ rollout: NameSchema, run: RunSchema, variant: VariantNameSchema, users: StoredSketchSchema });

/** Users that failed on stable while the rollout rested, or under runs that are kept no more; their requests are failing ones in an hour at rest. */
const HistorySchema = z.strictObject({ rollout: NameSchema, users: StoredSketchSchema });

/** What a sidecar says of failing users: what changed since the last message, each part whole, so that a lost message costs nothing. */
export const FailingUsersMessageSchema = z.strictObject({
  format: z.literal(FORMAT),
  startedAtMs: z.int().describe("When this process began to count, Unix milliseconds; another value is another count."),
  runs: z.array(RunSketchSchema),
  histories: z.array(HistorySchema),
});

const VariantFailingUsersSchema = z.strictObject({
  distinct: z.number().min(0).describe("Users that failed in this attempt."),
  newlyFailing: z
    .number()
    .min(0)
    .describe("Those of them that failed nowhere before: not before the attempt, and under no earlier run of it."),
  requests: z.number().min(0).describe("Failing requests of users in this attempt; those without a key are not among them."),
  knownRequests: z
    .number()
    .min(0)
    .describe("Those of them by users known to fail before the attempt, as far as they come no faster than before."),
  isExact: z.boolean().describe("False where so many users fail that these are estimates."),
});

/** Failing users of one attempt over all sidecars. */
export const FailingUsersSchema = z.strictObject({
  known: z.number().min(0).describe("Users known to fail before the attempt."),
  stable: VariantFailingUsersSchema,
  canary: VariantFailingUsersSchema,
});

/** What processes counted for one rollout. */
const GoneSchema = z.strictObject({
  runs: z.array(z.strictObject({ run: RunSchema, variant: VariantNameSchema, users: StoredSketchSchema })),
  history: StoredSketchSchema,
});

/** What the leader keeps of failing users of one rollout; sidecars that live tell theirs again to each new leader. */
export const FailingUsersRecordSchema = z.strictObject({
  format: z.literal(FORMAT),
  rollout: NameSchema,
  firstRun: RunSchema,
  updatedAtMs: z.int(),
  users: FailingUsersSchema,
  gone: GoneSchema.describe("What processes counted that are no more."),
  silent: z
    .array(GoneSchema.extend({ sidecar: SidecarIdSchema, startedAtMs: z.int().describe("As the process itself says it.") }))
    .optional()
    .describe("What others counted that may be no more, each: one that speaks again takes the place of what stands here."),
});

export type StoredSketch = z.infer<typeof StoredSketchSchema>;
export type FailingUsersMessage = z.infer<typeof FailingUsersMessageSchema>;
export type VariantFailingUsers = Readonly<z.infer<typeof VariantFailingUsersSchema>>;
export type FailingUsers = Readonly<z.infer<typeof FailingUsersSchema>>;
export type FailingUsersRecord = z.infer<typeof FailingUsersRecordSchema>;
