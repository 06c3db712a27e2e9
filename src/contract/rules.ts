import * as z from "zod";
import { ConditionSchema, type Leaf, type Nested, UserHashSchema } from "./conditions.ts";
import { GroupsTextSchema } from "./groups.ts";
import { shareFaults } from "./lanes.ts";
import { CopiesSchema, StaticMirrorSchema } from "./mirror.ts";
import { MixSchema } from "./mix.ts";
import { NameSchema } from "./name-schema.ts";
import { FORMAT, MAX_BLOBS, STABLE } from "./names.ts";
import { StaticReflexSchema } from "./reflex.ts";
import { KeySourcesSchema, MatchSchema, TargetSchema } from "./rollout.ts";
import { MAX_SEGMENTS, type ReadySegment, type SegmentRules, SegmentRulesSchema } from "./segments.ts";
import { MAX_USERS, type UserTable, unpackUsers } from "./user-lists.ts";
import { checkClusters, checkVariants, VariantNameSchema, VariantSchema } from "./variants.ts";

const ShareBpSchema = z.int().min(0).max(10_000).describe("Users on the canary, in basis points (1 bp = 0.01 %).");
const EpochSchema = z.int().min(0).describe("Unix seconds at which this line of revisions began; outranks the revision.");
const RevisionSchema = z.int().min(0).describe("Counts up by one with each manifest of an epoch.");
export const RunSchema = z.int().min(0).describe("Counter of the rollout, +1 at each change of what is served.");
const HashSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "not a sha256 in hex")
  .describe("sha256 of the exact bytes, in hex.");

/** A rollout's file lists fewer, because it has to fit into a message; rule sets may come from elsewhere. */
const ManyUsersSchema = z.strictObject({ userHashes: z.array(UserHashSchema).min(1).max(MAX_USERS) });

const PackedUsersSchema = z.strictObject({
  packedUsers: z
    .string()
    .max(Math.ceil((MAX_USERS * 8) / 3) * 4)
    .refine((packed) => unpackUsers(packed) !== undefined, "not a packed list of users; list them under userHashes")
    .describe("Hashes of bucketing keys, eight bytes each, sorted, in base64."),
});

/** A target of a rollout, which may list its users packed. */
export const StaticTargetSchema = TargetSchema.extend({ when: z.union([ConditionSchema, ManyUsersSchema, PackedUsersSchema]) });

const StaticCohortSchema = z.strictObject({
  send: z.boolean().describe("Tells later hops the variant."),
  obey: NameSchema.optional().describe("The rollout whose variant is taken from a trusted peer."),
});
/** A variant with its lane in basis points. */
const StaticVariantSchema = VariantSchema.extend({ lane: ShareBpSchema.optional() });

/** The part of a rollout's rules that does not change while it runs. */
export const StaticRulesSchema = z.strictObject({
  match: MatchSchema,
  key: KeySourcesSchema,
  salt: z.string().min(1),
  variants: z
    .object({ [STABLE]: StaticVariantSchema })
    .catchall(StaticVariantSchema)
    .superRefine(checkVariants)
    .superRefine(checkClusters),
  targets: z.array(StaticTargetSchema),
  cohort: StaticCohortSchema.optional(),
  mirror: StaticMirrorSchema.optional(),
  mix: MixSchema.optional(),
  reflex: StaticReflexSchema.optional(),
});

/** The part that changes: it stands in the manifest itself, so a rollback fetches nothing. */
export const LiveRuleSchema = z.strictObject({
  run: RunSchema,
  shareBp: ShareBpSchema,
  off: z.boolean().describe("Everyone to stable, targets too."),
  whenUnwatched: z.enum(["stable", "hold"]).describe("Where shares go when no beat has been heard for the limit."),
  sharesOnly: z
    .literal(true)
    .optional()
    .describe("Neither targets nor cohorts of earlier hops lead to another variant than stable: a way back in steps."),
  groups: GroupsTextSchema.optional().describe("Groups of sidecars that apply the share, like zone=a,b; all do when absent."),
  copies: CopiesSchema.optional(),
  // Last: manifests are compared as texts, in which no rule but its end may look like the end of one.
  shares: z.record(VariantNameSchema, ShareBpSchema).optional().describe("Users on variants beside the one that the stages grow."),
});

/** A rollout as a rule set holds it. */
const RolloutRulesSchema = z.strictObject({ rules: StaticRulesSchema, live: LiveRuleSchema }).superRefine(({ rules, live }, context) => {
  for (const { path, message } of shareFaults(rules.variants, live)) context.addIssue({ code: "custom", path: ["live", ...path], message });
});

/** What a sidecar obeys: the form of `--rules FILE`. */
export const RuleSetSchema = z.strictObject({
  format: z.literal(FORMAT),
  epoch: EpochSchema,
  revision: RevisionSchema,
  rollouts: z.record(NameSchema, RolloutRulesSchema),
  segments: z.record(NameSchema, SegmentRulesSchema).optional(),
});

/** Static rules of some rollouts, stored under the hash of its bytes. */
export const BlobSchema = z.strictObject({
  format: z.literal(FORMAT),
  rollouts: z.record(NameSchema, StaticRulesSchema),
});

/** The signed part of a manifest. */
export const ManifestPayloadSchema = z.strictObject({
  format: z.literal(FORMAT),
  epoch: EpochSchema,
  revision: RevisionSchema,
  term: z.int().min(0).describe("Term of the leader that wrote it."),
  issuedAtMs: z.int().describe("Unix milliseconds by the leader's clock."),
  notAfterMs: z.int().optional().describe("End of validity, Unix milliseconds."),
  blobs: z
    .record(z.string().regex(/^\d{1,2}$/), HashSchema)
    .refine((blobs) => Object.keys(blobs).length <= MAX_BLOBS, `more than ${MAX_BLOBS} blobs`)
    .describe("Shard number → hash of its blob."),
  segments: z
    .record(NameSchema, HashSchema)
    .refine((segments) => Object.keys(segments).length <= MAX_SEGMENTS, `more than ${MAX_SEGMENTS} segments`)
    .optional()
    .describe("Segment → hash of its index, which names the chunks of its users."),
  live: z.record(NameSchema, LiveRuleSchema),
});

/**
 * The most bytes of a manifest as stored: what one message of NATS takes by default, less 4 KiB for its headers. Room for
 * 10,000 rollouts with names of 20 characters.
 */
export const MAX_MANIFEST_BYTES = 1_024 * 1_024 - 4_096;

/** The manifest as stored: the payload's exact text, so that a signature covers bytes and not a re-serialisation. */
export const ManifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  payload: z.string().max(MAX_MANIFEST_BYTES).describe("JSON of the payload."),
  keyId: z.string().optional().describe("Names the key that signed."),
  signature: z.string().optional().describe("Ed25519 over the payload's bytes, base64."),
});

/** The leader's lease; each renewal is the beat that tells sidecars someone watches. */
export const LeaseSchema = z.strictObject({
  format: z.literal(FORMAT),
  holder: z.string().min(1).describe("Id of the controller that leads."),
  term: z.int().min(1).describe("+1 at each change of leader."),
  beat: z.int().min(0).describe("+1 at each renewal."),
  renewedAtMs: z.int().describe("Unix milliseconds by the holder's clock."),
  released: z.boolean().optional().describe("Given back on a clean stop; the next may take it at once."),
});

export type StaticRules = z.infer<typeof StaticRulesSchema>;
export type StaticTarget = z.infer<typeof StaticTargetSchema>;
type ListLeaf = Extract<Leaf, { users: unknown } | { userHashes: unknown }>;
/** A list of users in any of its forms. */
export type UserList = ListLeaf | z.infer<typeof PackedUsersSchema> | { readonly userTable: UserTable };
/** A condition ready to compile: its lists of users may be tables already, so that no text of them is kept. */
export type ReadyLeaf = Exclude<Leaf, ListLeaf> | UserList;
export type ReadyCondition = Nested<ReadyLeaf>;
/** Static rules ready to compile. */
export type ReadyRules = Omit<StaticRules, "targets"> & {
  readonly targets: readonly (Omit<StaticTarget, "when"> & { readonly when: ReadyCondition })[];
};
export type LiveRule = z.infer<typeof LiveRuleSchema>;
export type RuleSet = z.infer<typeof RuleSetSchema>;
export type Blob = z.infer<typeof BlobSchema>;
/** A rule set ready to compile. */
export interface ReadyRuleSet {
  readonly epoch: number;
  readonly revision: number;
  readonly rollouts: Readonly<Record<string, { readonly rules: ReadyRules; readonly live: LiveRule }>>;
  readonly segments?: Readonly<Record<string, ReadySegment | SegmentRules>> | undefined;
}
export type ManifestPayload = z.infer<typeof ManifestPayloadSchema>;
export type Lease = z.infer<typeof LeaseSchema>;

/** Orders two rule sets: negative when `a` is the older one. */
export function compareRevision(a: { epoch: number; revision: number }, b: { epoch: number; revision: number }): number {
  return a.epoch === b.epoch ? a.revision - b.revision : a.epoch - b.epoch;
}
