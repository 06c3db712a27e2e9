import { z } from "zod";
import { LATENCY_BOUNDS_MS } from "../../contract/names.ts";

const CountSchema = z.int().min(0);
const AmountSchema = z.number().min(0);
const MsSchema = z.int().describe("Unix milliseconds.");

const CountsSchema = z.strictObject({ canaryHits: CountSchema, canary: CountSchema, stableHits: CountSchema, stable: CountSchema });
const MemorySchema = z.strictObject({ hits: AmountSchema, all: AmountSchema }).describe("Outcomes of stable, older ones fading.");

const MetricStateSchema = z.strictObject({
  bound: z
    .int()
    .min(0)
    .max(LATENCY_BOUNDS_MS.length - 1)
    .nullable()
    .describe("Index of the latency bound above which a request is slow; null before it is chosen, and for errors."),
  batch: CountsSchema.describe("Outcomes not bet on yet, because one side has none."),
  betAtMs: MsSchema.describe("End of the last batch."),
  isStableIll: z.boolean().describe("Stable itself was hit far more than usual in the last batch."),
  short: MemorySchema,
  long: MemorySchema,
  tolerated: AmountSchema.describe("Tolerated difference that the bets below are about; 0 before the first."),
  harm: z
    .array(z.strictObject({ odds: z.number().min(1), wealth: AmountSchema }))
    .describe("Bets that the canary is worse than tolerated, at so many times the odds of the tolerated ratio."),
  safe: z
    .array(
      z.strictObject({
        times: z.number().describe("The margin, as a multiple of the tolerated difference."),
        bets: z.array(
          z.strictObject({ part: AmountSchema.describe("Guess at the canary: stable and this part of the margin."), wealth: AmountSchema }),
        ),
      }),
    )
    .describe("Bets that the canary is not worse by each margin; margins ascend."),
});

const OutcomesSchema = z.strictObject({
  requests: CountSchema,
  failed: CountSchema,
  latency: z.array(CountSchema).length(LATENCY_BOUNDS_MS.length + 1),
});

const OverdueSchema = z.strictObject({
  decided: CountSchema,
  settled: CountSchema,
  marks: z.array(z.strictObject({ atMs: MsSchema, decided: CountSchema })).describe("How many had been decided when; oldest first."),
  peak: z
    .strictObject({ sinceMs: MsSchema, before: CountSchema, now: CountSchema })
    .describe("Most that were overdue at once in this window and in the one before."),
  unended: CountSchema.describe("Requests counted as slow because they have not ended."),
});

/** What the judge knows of one rollout. Plain JSON; a judge that reads another `version` starts anew. */
export const JudgeStateSchema = z.strictObject({
  version: z.literal(2),
  sinceMs: MsSchema,
  nowMs: MsSchema.describe("Latest time seen; it never goes back."),
  canarySinceMs: MsSchema.nullable().describe("First outcome of the canary."),
  run: CountSchema,
  runSample: CountSchema,
  stable: OutcomesSchema,
  canary: OutcomesSchema,
  overdue: z.strictObject({ stable: OverdueSchema, canary: OverdueSchema }),
  metrics: z.strictObject({
    errors: MetricStateSchema,
    slowP50: MetricStateSchema,
    slowP90: MetricStateSchema,
    slowP99: MetricStateSchema,
  }),
});

export type JudgeState = Readonly<z.infer<typeof JudgeStateSchema>>;
export type OverdueState = Readonly<z.infer<typeof OverdueSchema>>;
export type MetricState = Readonly<z.infer<typeof MetricStateSchema>>;
