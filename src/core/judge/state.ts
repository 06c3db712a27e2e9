import * as z from "zod";

const CountSchema = z.int().min(0);
const AmountSchema = z.number().min(0);
const MsSchema = z.int().describe("Unix milliseconds.");

const CountsSchema = z.strictObject({ canaryHits: CountSchema, canary: CountSchema, stableHits: CountSchema, stable: CountSchema });
const MemorySchema = z.strictObject({ hits: AmountSchema, all: AmountSchema }).describe("Outcomes of stable, older ones fading.");

const HalfCountsSchema = z.strictObject({ halfHits: CountSchema, half: CountSchema, hits: CountSchema, all: CountSchema });

const DispersionSchema = z
  .strictObject({
    slot: CountSchema.describe("Block of the last batch, counted from the epoch."),
    open: HalfCountsSchema.describe("Counts of that block so far."),
    lengths: z.array(
      z.strictObject({
        open: HalfCountsSchema.describe("Of the blocks before it that belong to the same longer one."),
        unevenness: AmountSchema.describe("Squares of the differences between a half and its part, over all blocks that are over."),
        expected: AmountSchema.describe("What chance alone makes of them."),
      }),
    ),
    outcomesAsOne: z.number().min(1).describe("How many outcomes count as one, by all blocks that are over."),
    isKnown: z.boolean().describe("Some block was compared."),
  })
  .describe("How much more than by chance two halves of stable differ, over blocks of some lengths.");

const MetricStateSchema = z.strictObject({
  bound: CountSchema.nullable().describe(
    "Index of the latency bound above which a request is slow; null before it is chosen, and for counts.",
  ),
  batch: CountsSchema.describe("Outcomes not bet on yet, because one side has none."),
  asOne: z
    .number()
    .min(1)
    .exactOptional()
    .describe("How many outcomes counted as one before the first of those; absent where there are none."),
  betAtMs: MsSchema.describe("End of the last batch."),
  isStableIll: z.boolean().describe("Stable itself was hit far more than usual in the last batch."),
  short: MemorySchema,
  long: MemorySchema,
  totals: CountsSchema.describe("All that was bet on, or learned of stable."),
  hosts: DispersionSchema,
  keys: DispersionSchema,
  question: z.array(z.number()).describe("What the bets below are about: factor, tolerated difference and margins."),
  harm: z.array(AmountSchema).describe("Wealth of the bets that the canary is worse than tolerated, one for each guess."),
  safe: z.array(AmountSchema).describe("Wealth of the bets that the canary is not worse by each margin; two a margin, margins ascend."),
});

const OutcomesSchema = z.strictObject({ requests: CountSchema, failed: CountSchema, latency: z.array(CountSchema) });

const OverdueSchema = z.strictObject({
  decided: CountSchema,
  settled: CountSchema,
  marks: z.array(z.strictObject({ atMs: MsSchema, decided: CountSchema })).describe("How many had been decided when; oldest first."),
  peak: z
    .strictObject({ sinceMs: MsSchema, before: CountSchema, now: CountSchema })
    .describe("Most that were overdue at once in this window and in the one before."),
  unended: CountSchema.describe("Requests counted as slow because they have not ended."),
});

const AimSchema = z
  .strictObject({ question: z.string(), betAtMs: MsSchema, wealth: z.array(AmountSchema) })
  .describe("Bets on one side alone, against a ratio that is given: an objective, or the share.");

/** What the judge knows of one rollout. Plain JSON; a judge that reads another `version` starts anew. */
export const JudgeStateSchema = z.strictObject({
  version: z.literal(3),
  sinceMs: MsSchema,
  nowMs: MsSchema.describe("Latest time seen; it never goes back."),
  canarySinceMs: MsSchema.nullable().describe("First outcome of the canary."),
  canaryAtMs: MsSchema.nullable().describe("Last outcome of the canary."),
  run: CountSchema,
  runSample: CountSchema,
  inputs: z.string().describe("Hash of all batches so far."),
  rate: z.strictObject({ requests: AmountSchema, ms: AmountSchema }).describe("Outcomes of both sides and time, older ones fading."),
  stable: OutcomesSchema,
  canary: OutcomesSchema,
  knowsUsers: z.boolean().describe("Some batch told which users failed."),
  overdue: z.strictObject({ stable: OverdueSchema, canary: OverdueSchema }),
  metrics: z.record(z.string(), MetricStateSchema).describe("By the key of the metric, or `own.` and the name of the rollout's own check."),
  objective: AimSchema,
  split: z.strictObject({ fewer: AimSchema, canary: CountSchema, all: CountSchema, expected: AmountSchema }),
});

export type JudgeState = Readonly<z.infer<typeof JudgeStateSchema>>;
export type OverdueState = Readonly<z.infer<typeof OverdueSchema>>;
export type MetricState = Readonly<z.infer<typeof MetricStateSchema>>;
export type DispersionState = Readonly<z.infer<typeof DispersionSchema>>;
export type AimState = Readonly<z.infer<typeof AimSchema>>;
