import { z } from "zod";
import {
  CONDITION_PATTERNS,
  ConditionSchema,
  CookieNameSchema,
  HeaderMatchSchema,
  HeaderNameSchema,
  MethodSchema,
  PathMatchSchema,
} from "./conditions.ts";
import { HEADER_PREFIX } from "./names.ts";
import { StagesSchema } from "./stages.ts";
import { PointsSchema } from "./units.ts";

const NAME_PATTERN = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Name of a rollout or target: a DNS label, because it becomes part of a NATS subject and of metric labels. */
export const NameSchema = z
  .string()
  .regex(NAME_PATTERN, "not a name; use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit");

const HOST_PATTERN = /^(\*|(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)$/;

const HostSchema = z
  .string()
  .regex(HOST_PATTERN, 'not a host; write it in lower case without scheme and port, "*.example.com" for all below one, or "*" for all');

export const MatchSchema = z.strictObject({
  hosts: z
    .array(HostSchema)
    .min(1)
    .max(100)
    .default(["*"])
    .describe('Hosts without port; "*.example.com" means all below it, "*" every host.'),
  paths: z
    .array(PathMatchSchema)
    .min(1)
    .max(100)
    .default([{ prefix: "/" }])
    .describe("Any of these."),
  methods: z.array(MethodSchema).min(1).max(32).optional().describe("Any of these; all methods when absent."),
  headers: z.array(HeaderMatchSchema).min(1).max(20).optional().describe("All of these."),
});

export const KeySourceSchema = z.union([
  z.strictObject({ header: HeaderNameSchema.describe("A request header; one set by a client lets the client choose its bucket.") }),
  z.strictObject({ cookie: CookieNameSchema.describe("A cookie.") }),
  z.strictObject({ clientAddress: z.literal(true).describe("The address of the downstream connection, without its port.") }),
]);

const tagHeader = HeaderNameSchema.refine(
  (name) => name.startsWith(HEADER_PREFIX),
  `not a header that Serin may set; begin it with ${HEADER_PREFIX}`,
);

export const VariantSchema = z.strictObject({
  cluster: z.string().min(1).max(200).describe("Name of the Envoy cluster that answers for this variant."),
  tags: z.record(tagHeader, z.string().max(256)).default({}).describe(`Headers for the upstream; each name begins with ${HEADER_PREFIX}.`),
});

/** The two variants of a canary; `stable` is also where everything undecided goes. */
export const VariantNameSchema = z.enum(["stable", "canary"]);

export const TargetSchema = z.strictObject({
  name: NameSchema.describe("Shown by explain."),
  when: ConditionSchema.describe("One condition."),
  variant: VariantNameSchema.describe("Where requests that meet it go."),
});

const StrategySchema = z.union([
  z.strictObject({ use: z.enum(["fast", "standard", "careful"]).describe("A preset of stages.") }),
  z.strictObject({ type: z.literal("canary"), stages: StagesSchema }),
]);

const ChecksSchema = z.strictObject({
  errors: z
    .strictObject({ maxIncrease: PointsSchema.describe("Tolerated rise of the failed ratio over stable's, in percentage points.") })
    .default({ maxIncrease: 0.005 })
    .describe("Failed requests against concurrent stable."),
  latency: z
    .strictObject({
      maxIncrease: PointsSchema.describe("Tolerated rise of the ratio of slow requests over stable's, in percentage points."),
    })
    .default({ maxIncrease: 0.02 })
    .describe("Requests slower than stable's own past median, 90th and 99th percentile."),
});

/** A rollout as people keep it in git; parsed shares are basis points, durations milliseconds. */
export const RolloutSchema = z.strictObject({
  apiVersion: z.literal("serin/v1").describe("Version of this file's form."),
  kind: z.literal("Rollout").describe("What this file is."),
  name: NameSchema.describe("Name of the rollout."),
  match: MatchSchema.prefault({}).describe("The requests it governs."),
  key: z.array(KeySourceSchema).min(1).max(10).describe("Where the bucketing key comes from; the first present wins."),
  salt: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("Mixed into the bucket; the rollout's name when absent. Another salt is another cohort."),
  variants: z.strictObject({ stable: VariantSchema, canary: VariantSchema }).describe("The versions that can answer."),
  targets: z.array(TargetSchema).max(1_000).default([]).describe("Rules before the share; the first that holds wins."),
  strategy: StrategySchema.describe("How the share grows."),
  checks: ChecksSchema.prefault({}).describe("What the canary is judged by."),
  onUnwatched: z
    .enum(["stable", "hold"])
    .default("stable")
    .describe("What sidecars do when no controller has been heard for 30 s: send shares to stable, or hold them."),
});

/** What the schemas above hold texts against; for a check that has no time to run them. */
export const PATTERNS = { ...CONDITION_PATTERNS, name: NAME_PATTERN, host: HOST_PATTERN } as const;

export type Rollout = z.infer<typeof RolloutSchema>;
export type RolloutInput = z.input<typeof RolloutSchema>;
export type Match = z.infer<typeof MatchSchema>;
export type KeySource = z.infer<typeof KeySourceSchema>;
export type Variant = z.infer<typeof VariantSchema>;
export type VariantName = z.infer<typeof VariantNameSchema>;
export type Target = z.infer<typeof TargetSchema>;
