import * as z from "zod";
import { UserHashSchema } from "./conditions.ts";
import { NameSchema } from "./name-schema.ts";
import { FORMAT } from "./names.ts";
import { FeedbackKindSchema } from "./own-checks.ts";
import { LiveRuleSchema, RunSchema } from "./rules.ts";
import { VariantNameSchema } from "./variants.ts";

/** How long it is known which variant a user had, in milliseconds: 7 days. */
export const FEEDBACK_KEPT_MS = 604_800_000;
/** The most runs of a rollout that are known. */
export const MAX_SERVED = 256;
/** The most users and ids of a rollout that are remembered, so that each counts once. */
export const MAX_SEEN = 10_000;

const AtMsSchema = z.int().min(0).describe("When it happened, Unix milliseconds; now when absent.");

const SAID = {
  variant: VariantNameSchema.optional().describe("The variant that the user had, where the application knows it, as from a tag."),
  reason: z.string().min(1).max(64).optional().describe("Why the user had it, as the tag {reason} says; only `share` counts."),
  keySource: z
    .string()
    .min(1)
    .max(300)
    .optional()
    .describe("Where requests carry the key, as `serin explain` calls it; the first source of the rollout when absent."),
  kind: FeedbackKindSchema,
  value: z.number().optional().describe("For checks that ask for one, like the stars of a rating."),
  id: z.string().min(1).max(200).optional().describe("Of the event: one that comes again counts once. Needed where no key is given."),
  atMs: AtMsSchema.optional(),
};

/** What an application, support or a user says of a rollout. */
export const FeedbackEventSchema = z
  .strictObject({
    rollout: NameSchema.describe("Name of the rollout."),
    key: z.string().min(1).max(4_096).optional().describe("The user's bucketing key, as requests carry it; hashed at once."),
    ...SAID,
  })
  .refine(({ key, variant }) => key !== undefined || variant !== undefined, "neither key nor variant; give one of them")
  .refine(({ key, id }) => key !== undefined || id !== undefined, "neither key nor id; give one, so that an event counts once");

const UserSchema = z.strictObject({
  salt: z.string().min(1).describe("The salt under which it is hashed."),
  bucket: z.int().min(0).max(4_294_967_295),
  hash: UserHashSchema,
});

/** The same with the key hashed, as it travels from the controller that took it. */
export const HashedFeedbackSchema = z
  .strictObject({ rollout: NameSchema, user: UserSchema.optional(), ...SAID })
  .refine(
    ({ user, variant, id }) => user !== undefined || (variant !== undefined && id !== undefined),
    "neither a user nor a variant with an id",
  );

/** What became of an event. */
export const FeedbackReplySchema = z.strictObject({
  result: z
    .enum(["counted", "repeated", "unattributed", "unasked", "invalid"])
    .describe("`unattributed`: no share decided which variant the user had; `unasked`: no check of the rollout counts it."),
  message: z.string().describe("For people."),
});

/** Which rules held from when on. */
export const ServedRulesSchema = z.strictObject({
  sinceMs: z.int().min(0).describe("Unix milliseconds."),
  run: RunSchema,
  salt: z.string().min(1),
  lanes: z.record(VariantNameSchema, z.strictObject({ lane: z.int().min(0).max(10_000).optional() })),
  live: LiveRuleSchema,
});

/** What is known to attribute feedback of one rollout. */
export const FeedbackRecordSchema = z.strictObject({
  format: z.literal(FORMAT),
  rollout: NameSchema,
  served: z.array(ServedRulesSchema).max(MAX_SERVED).describe("Oldest first."),
  seen: z.array(UserHashSchema).max(MAX_SEEN).describe("Hashes of check, variant and user, or id, that counted; oldest first."),
});

export type FeedbackEvent = z.infer<typeof FeedbackEventSchema>;
export type HashedFeedback = z.infer<typeof HashedFeedbackSchema>;
export type FeedbackReply = z.infer<typeof FeedbackReplySchema>;
export type FeedbackRecord = z.infer<typeof FeedbackRecordSchema>;
export type ServedRules = Readonly<z.infer<typeof ServedRulesSchema>>;
