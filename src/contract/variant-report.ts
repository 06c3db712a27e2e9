import * as z from "zod";
import { VariantNameSchema } from "./variants.ts";

const CountSchema = z.number().min(0);
const HitsSchema = z.strictObject({
  hits: CountSchema.describe("What is counted, like orders."),
  all: CountSchema.describe("Of how many; 0 of feedback, which is counted of the requests decided."),
});

/** Sums of one variant over the whole rollout, by its own name. */
export const VariantTotalsSchema = z.strictObject({
  decided: CountSchema,
  settled: CountSchema.describe("Of the decided: no one waits for them any more, however they ended."),
  requests: CountSchema.describe("Ended, and speak for or against the variant."),
  failed: CountSchema,
  latency: z.array(CountSchema).describe("Ended requests in each latency bucket; the last is open."),
  own: z.record(z.string(), HitsSchema).describe("The rollout's own checks that are counted, by name."),
});

/** By the name of the variant, stable included. */
export const VariantsTotalsSchema = z.record(VariantNameSchema, VariantTotalsSchema);

const RatioSchema = z.number().nullable().describe("0 to 1; null without any.");

/** One measure of one variant beside stable's. */
export const VariantMeasureSchema = z.strictObject({
  variant: VariantNameSchema,
  ...HitsSchema.shape,
  ratio: RatioSchema,
  difference: RatioSchema.describe("Of the ratio from stable's; null where one of them has no data."),
  lower: RatioSchema.describe("Lower end of the interval on the difference."),
  upper: RatioSchema.describe("Upper end."),
  shows: z.enum(["higher", "lower", "nothing"]).describe("On which side of stable the whole interval lies; nothing where 0 is in it."),
});

/** What a test of variants shows. */
export const VariantReportSchema = z.strictObject({
  level: z.number().describe("Confidence of each interval by itself, 0.95; it holds at the end that was set, not at a look before."),
  isFinal: z.boolean().describe("Whether the test is over."),
  method: z.string().describe("How intervals are made."),
  measures: z.array(
    z.strictObject({
      name: z.string().describe("`errors`, `slow p90`, `slow p99`, or one of the rollout's own."),
      slowerThanMs: z.number().optional().describe("Of slow requests: slower than so many of stable's, in milliseconds; absent of others."),
      dispersion: z.number().min(1).describe("How many outcomes count as one, because they come in clumps."),
      stable: z.strictObject({ ...HitsSchema.shape, ratio: RatioSchema }),
      variants: z.array(VariantMeasureSchema),
    }),
  ),
});

export type Hits = Readonly<z.infer<typeof HitsSchema>>;
export type VariantTotals = Readonly<z.infer<typeof VariantTotalsSchema>>;
export type VariantsTotals = Readonly<Record<string, VariantTotals>>;
export type VariantMeasure = z.infer<typeof VariantMeasureSchema>;
export type VariantReport = z.infer<typeof VariantReportSchema>;
