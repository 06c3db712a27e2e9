import * as z from "zod";
import { type Condition, ConditionSchema, innerConditions } from "./conditions.ts";
import { NameSchema } from "./name-schema.ts";
import { FORMAT } from "./names.ts";
import { MAX_USERS, type UserTable, unpackUsers } from "./user-lists.ts";

/** More segments than this would make the manifest large. */
export const MAX_SEGMENTS = 200;

/** Users are cut into 2⁶ chunks at most. */
const MAX_CHUNK_BITS = 6;

/** A condition of a segment's own: lists stand under `users`, and segments are not made of segments. */
const SegmentConditionSchema = ConditionSchema.superRefine((condition, context) => {
  if (holdsLeaf(condition, ["segment"])) context.addIssue("a segment cannot ask for a segment; write here what the other one asks for");
  if (holdsLeaf(condition, ["users", "userHashes"])) context.addIssue("a segment's condition cannot list users; list them under users");
}).describe("Who else is in it: requests that meet this condition.");

const holdsLeaf = (condition: Condition, kinds: readonly string[]): boolean =>
  kinds.some((kind) => kind in condition) || innerConditions<Condition>(condition).some((inner) => holdsLeaf(inner, kinds));

const head = {
  apiVersion: z.literal("serin/v1").describe("Version of this file's form."),
  kind: z.literal("Segment").describe("What this file is."),
  name: NameSchema.describe("Name of the segment; another name is another salt, and so other hashes."),
};

/** A segment as people keep it in git: a request is in it when its user is listed, or when the condition holds. */
export const SegmentSchema = z
  .strictObject({
    ...head,
    users: z
      .array(z.string().min(1).max(1_024))
      .min(1)
      .max(MAX_USERS)
      .optional()
      .describe("Bucketing keys; hashed before they leave the command line."),
    usersFrom: z
      .string()
      .min(1)
      .max(4_096)
      .optional()
      .describe("A file beside this one with more of them, one a line, each taken as it stands; empty lines are skipped."),
    when: SegmentConditionSchema.optional(),
  })
  .refine(({ users, usersFrom, when }) => users !== undefined || usersFrom !== undefined || when !== undefined, {
    message: "nobody can be in it; write users, usersFrom or when",
    path: ["name"],
  });

const HashSchema = z.string().regex(/^[0-9a-f]{64}$/, "not a sha256 in hex");

const chunked = {
  when: SegmentConditionSchema.optional(),
  chunkBits: z.int().min(0).max(MAX_CHUNK_BITS).describe("So many first bits of a user's hash are the number of its chunk."),
  chunks: z
    .record(z.string().regex(/^([0-9]|[1-5][0-9]|6[0-3])$/), HashSchema)
    .describe("Chunk number → sha256 of its bytes: sorted hashes of users, eight bytes each, the highest first."),
};

/** A segment as it is applied: its users cut into chunks, which are sent apart. */
export const SegmentPlanSchema = z.strictObject({
  ...head,
  ...chunked,
  users: z.int().min(0).max(MAX_USERS).describe("How many are listed."),
});

/** What a manifest names of a segment: its chunks, each stored under its own hash like this index itself. */
export const SegmentIndexSchema = z.strictObject({ format: z.literal(FORMAT), name: NameSchema, ...chunked });

/** A segment as a rule set in a file holds it. */
export const SegmentRulesSchema = z.strictObject({
  when: SegmentConditionSchema.optional(),
  packedUsers: z
    .string()
    .max(Math.ceil((MAX_USERS * 8) / 3) * 4)
    .refine((packed) => unpackUsers(packed) !== undefined, "not a packed list of users; make it with `serin rules`")
    .optional()
    .describe("Hashes of bucketing keys, eight bytes each, sorted, in base64."),
});

export type Segment = z.infer<typeof SegmentSchema>;
export type SegmentPlan = z.infer<typeof SegmentPlanSchema>;
export type SegmentIndex = z.infer<typeof SegmentIndexSchema>;
export type SegmentRules = z.infer<typeof SegmentRulesSchema>;

/** A segment ready to compile. */
export interface ReadySegment {
  readonly when?: Condition | undefined;
  readonly chunkBits: number;
  /** By number; undefined where nobody stands in one. */
  readonly chunks: readonly (UserTable | undefined)[];
}

/** Salt of a segment's users: never that of a rollout, so that their hashes say nothing of buckets. */
export const segmentSalt = (name: string): string => `segment/${name}`;

/** A segment of a rule set ready to compile; its users are one chunk. */
export function readySegment({ when, packedUsers }: SegmentRules): ReadySegment {
  const table = packedUsers === undefined ? undefined : unpackUsers(packedUsers);
  // The schema refuses it; a list taken as empty would send its users elsewhere.
  if (packedUsers !== undefined && table === undefined) throw new TypeError("a packed list of users that is none");
  return { when, chunkBits: 0, chunks: [table] };
}
