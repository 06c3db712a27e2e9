import * as z from "zod";
import { NameSchema } from "./name-schema.ts";
import { RampSchema } from "./ramp.ts";
import { StageSchema, StagesSchema } from "./stages.ts";
import { DurationSchema, ShareSchema } from "./units.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** What stages say of their own proof, where a strategy has a step that is none. */
const { minTime, minSample } = StageSchema.shape;

const CanaryStagesSchema = z.strictObject({ type: z.literal("canary"), stages: StagesSchema });
const CanaryRampSchema = z.strictObject({
  type: z.literal("canary"),
  ramp: RampSchema.describe("Shares that follow from the evidence."),
});

/** Who may lead a preview on to 100 %: a person, the plan by its own order, or the evidence. */
const PreviewSchema = z.strictObject({
  promote: z
    .union([
      z.literal("byHand"),
      z.strictObject({
        after: DurationSchema.describe(
          "Whoever applies the plan orders with it that everyone gets the new version so long after every known sidecar obeys, unless evidence holds it.",
        ),
      }),
      z.strictObject({
        onVerdict: z
          .strictObject({ minTime, minSample })
          .prefault({})
          .describe("When the outcomes of those whom targets bring call 100% safe."),
      }),
    ])
    .default("byHand")
    .describe("Who leads on to 100%: `byHand` waits for `serin promote`, for 7 days at most."),
});

const BlueGreenSchema = z.strictObject({
  type: z.literal("blueGreen"),
  preview: PreviewSchema.prefault({}).describe("Only targets bring users to the new version; the share is 0%."),
  keepWarm: DurationSchema.default(30 * MINUTE).describe(
    "How long stable must stay up after promotion, so that abort brings everyone back at once; then hand-over is overdue. 30m when absent.",
  ),
});

const AbTestSchema = z.strictObject({
  type: z.literal("abTest"),
  shares: z
    .record(z.string(), ShareSchema)
    .describe("Users of each variant beside stable, like {canary: 30%, b: 30%}; they stay as they are for the whole test."),
  time: DurationSchema.refine(
    (ms) => ms >= MINUTE,
    "shorter than a minute, which is no test; write the days that it takes, like 14d",
  ).describe("How long the test lasts, from when every known sidecar obeys; then its report is made."),
  atEnd: z
    .enum(["wait", "stable"])
    .default("wait")
    .describe("What follows the report: shares stay until a person promotes or aborts, 7 days at most; or everyone goes back to stable."),
  sharesGroup: z.boolean().default(false).describe("Whether the rollout's `group` may tie its users to those of other rollouts."),
});

const ToggleSchema = z.strictObject({
  type: z.literal("toggle"),
  share: ShareSchema.default(10_000).describe(
    "Users for whom it is on beside its targets, at once; 100% when absent, 0% for targets alone.",
  ),
  staleAfter: DurationSchema.default(30 * DAY).describe("It stays on without end; after so long it is called overdue. 30d when absent."),
});

const LABEL_PATTERN = /^[a-z][a-z0-9_-]{0,62}$/;
const LABEL_VALUE_PATTERN = /^[A-Za-z0-9._-]{1,63}$/;

/** Name of a label of a sidecar, like `zone`. */
export const LabelNameSchema = z
  .string()
  .regex(LABEL_PATTERN, "not the name of a label; use 1 to 63 of a-z, 0-9, - and _, beginning with a letter");

/** Value of a label of a sidecar: the name of a group. */
export const LabelValueSchema = z
  .string()
  .regex(LABEL_VALUE_PATTERN, "not the value of a label; use 1 to 63 of letters, digits, ., - and _");

const RollingSchema = z.strictObject({
  type: z.literal("rolling"),
  by: LabelNameSchema.describe("Label of sidecars whose value is their group, like zone or cluster; `serin sidecar --label zone=a`."),
  order: z
    .array(LabelValueSchema)
    .min(1)
    .max(100)
    .optional()
    .describe("Groups in the order in which they get the new version; groups that it does not name follow, by name. By name when absent."),
  share: ShareSchema.refine((shareBp) => shareBp > 0, "a share of 0% tests nothing; write the users of each group that get it, like 100%")
    .default(10_000)
    .describe("Users of a group that get the new version while it is on there; 100% when absent."),
  minTime,
  minSample,
  onUnhealthy: z
    .enum(["pause", "rollback"])
    .default("pause")
    .describe(
      "What follows evidence of harm after the first group: the newest group goes back to stable, the others stay, and a person decides; or all go back.",
    ),
});

const ShadowSchema = z.strictObject({
  minTime,
  minSample: z.int().min(1).max(10_000_000).default(200).describe("Fewest answers of the shadow; 200 when absent."),
});
const shadow = ShadowSchema.prefault({}).describe(
  "First the rollout's `mirror` alone gets requests, and its cluster is compared with stable's by Envoy's own statistics.",
);

const MirrorStagesSchema = z.strictObject({ type: z.literal("mirror"), shadow, stages: StagesSchema });
const MirrorRampSchema = z.strictObject({
  type: z.literal("mirror"),
  shadow,
  ramp: RampSchema.describe("After the shadow: shares that follow from the evidence."),
});

const forms = [
  CanaryStagesSchema,
  CanaryRampSchema,
  BlueGreenSchema,
  AbTestSchema,
  ToggleSchema,
  RollingSchema,
  MirrorStagesSchema,
  MirrorRampSchema,
] as const;

/** A strategy written out, as a template holds it. */
export const OwnStrategySchema = z.union(forms);

/** How a rollout gets to its users. */
export const StrategySchema = z.union([
  z.strictObject({ use: NameSchema.describe("A preset of stages (fast, standard or careful), or a template that was applied.") }),
  ...forms,
]);

/** A parsed strategy: shares in basis points, times in milliseconds. */
export type Strategy = z.infer<typeof StrategySchema>;
/** One that is written out. */
export type OwnStrategy = z.infer<typeof OwnStrategySchema>;
export type BlueGreen = z.infer<typeof BlueGreenSchema>;
export type AbTest = z.infer<typeof AbTestSchema>;
export type Toggle = z.infer<typeof ToggleSchema>;
export type Rolling = z.infer<typeof RollingSchema>;
export type Shadow = z.infer<typeof ShadowSchema>;
