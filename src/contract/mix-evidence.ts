import * as z from "zod";
import { MARK_BITS } from "./mix.ts";
import { NameSchema } from "./name-schema.ts";
import { FORMAT } from "./names.ts";
import { RunSchema } from "./rules.ts";
import { VariantNameSchema } from "./variants.ts";

/** The most users that a group keeps: all of them up to here, a sample of at least half as many beyond. */
export const GROUP_CAPACITY = 1_024;

/** Targets of a rollout that are counted apart, in the order of the file. */
export const NAMED_TARGETS = 16;

const COUNT = z.number().min(0);

/** Users as hashes with the bits of their values; at level l those of all hashes below 2³² / 2ˡ. */
export const StoredSampleSchema = z
  .strictObject({
    level: z.int().min(0).max(32).describe("0 when every user is kept; each level more halves the sample."),
    steps: z.array(z.int().min(0)).max(GROUP_CAPACITY).describe("Hashes in ascending order: the first, then each difference."),
    marks: z
      .array(
        z
          .int()
          .min(0)
          .max(2 ** MARK_BITS - 1),
      )
      .max(GROUP_CAPACITY)
      .describe("Bits of each, one for each value of the mix."),
  })
  .refine(({ steps, marks }) => steps.length === marks.length, "not as many marks as hashes")
  .refine(({ steps }) => steps.every((step, index) => index === 0 || step > 0), "a hash stands twice")
  .refine(({ level, steps }) => steps.reduce((sum, step) => sum + step, 0) < 2 ** (32 - level), "a hash is not below the level's limit");

/** How users came to their variant: by the share, in the slice of stable that is counted apart, by the cohort of a hop before, or by a target. */
const MixWaySchema = z.enum(["share", "control", "cohort", "target"]);

const GroupSchema = z.strictObject({
  variant: VariantNameSchema,
  by: MixWaySchema,
  target: NameSchema.optional().describe(`Absent where another way decided, and for targets after the ${NAMED_TARGETS}th.`),
  users: StoredSampleSchema,
});

/** What a sidecar says of the mix of users: groups that changed since the last message, each whole. */
export const MixMessageSchema = z.strictObject({
  format: z.literal(FORMAT),
  groups: z.array(GroupSchema.extend({ rollout: NameSchema, run: RunSchema })),
});

/** Numbers of users. */
const MixCountsSchema = z.strictObject({
  canary: COUNT.describe("On a variant beside stable, however they came there."),
  share: COUNT.describe("Those of the canary that the share brought."),
  cohort: COUNT.describe("Those of the canary that the cohort of a hop before brought."),
  target: COUNT.describe("Those of the canary that a target brought."),
  control: COUNT.describe("In the slice of stable that is as large as the canary's share."),
  all: COUNT.describe("All users."),
});

/** A value that is more or less frequent on the canary than among the others. */
const MixSkewSchema = z.strictObject({
  label: z.string(),
  value: z.string(),
  canary: COUNT.max(1).describe("Part of the canary's users who have it."),
  all: COUNT.max(1).describe("Part of all users who have it."),
  odds: COUNT.describe(
    "Evidence that this is no chance, as odds; over all values and looks, a false warning comes in one run of a hundred at most.",
  ),
  cause: z
    .strictObject({ variant: VariantNameSchema, by: MixWaySchema, target: NameSchema.optional(), hasMore: z.boolean() })
    .nullable()
    .describe(
      "The group that moves it most, and whether users of that group have the value more often; null where the share by itself does.",
    ),
});

/** The canary's users beside all users, under one run. */
export const MixFiguresSchema = z.strictObject({
  run: RunSchema,
  users: MixCountsSchema,
  isExact: z.boolean().describe("False where so many users came that these are estimates."),
  values: z.array(z.strictObject({ label: z.string(), value: z.string(), users: MixCountsSchema })),
  skews: z.array(MixSkewSchema).describe("Values of which there is a warning, the surest first."),
});

/** What the leader keeps of the mix of one rollout: enough for the next one to go on. */
export const MixRecordSchema = z.strictObject({
  format: z.literal(FORMAT),
  rollout: NameSchema,
  updatedAtMs: z.int(),
  figures: MixFiguresSchema,
  groups: z.array(GroupSchema),
});

export type StoredSample = z.infer<typeof StoredSampleSchema>;
export type MixWay = z.infer<typeof MixWaySchema>;
export type MixMessage = z.infer<typeof MixMessageSchema>;
export type MixCounts = Readonly<z.infer<typeof MixCountsSchema>>;
export type MixSkew = Readonly<z.infer<typeof MixSkewSchema>>;
export type MixFigures = Readonly<z.infer<typeof MixFiguresSchema>>;
export type MixRecord = z.infer<typeof MixRecordSchema>;
