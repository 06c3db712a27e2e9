import * as z from "zod";
import { OwnChecksSchema, SaturationSchema } from "./own-checks.ts";
import { PointsSchema } from "./units.ts";

const PresetSchema = z.enum(["careful", "standard", "fast"]);

/** What a rollout is judged by, as files say it; what is absent is the preset's. Differences are ratios, 0.005 for half a percentage point. */
export const ChecksSchema = z.strictObject({
  preset: PresetSchema.default("standard").describe(
    "How sure the judge must be: `careful` errs in 1 of 1,000 rollouts and harms more users until it is sure, `standard` and `fast` in 1 of 100.",
  ),
  alpha: z
    .number()
    .min(0.000_1)
    .max(0.1)
    .optional()
    .describe("Chance of ever rolling back a canary within tolerance, over the whole rollout and all checks; less needs more evidence."),
  errors: z
    .strictObject({
      maxIncrease: PointsSchema.default(0.000_5).describe(
        "Tolerated rise of the failed ratio over 1.1 times stable's, in percentage points; more is harm. 0.05% when absent.",
      ),
      proof: PointsSchema.default(0.005).describe(
        "The rise that must be disproven before 100%, or stable's own ratio where that is more; less takes longer. 0.5% when absent.",
      ),
      objective: PointsSchema.optional().describe(
        "The most that may fail at all, like 1%: above it the canary goes back, while stable keeps it.",
      ),
    })
    .prefault({})
    .describe("Failed requests, and users that fail for the first time, against concurrent stable."),
  latency: z
    .strictObject({
      maxIncrease: PointsSchema.default(0.005).describe(
        "Tolerated rise of the ratio of slow requests over 1.1 times stable's, in percentage points; more is harm. 0.5% when absent.",
      ),
    })
    .prefault({})
    .describe("Requests slower than stable's own past median, 90th and 99th percentile."),
  saturation: SaturationSchema,
  own: OwnChecksSchema,
  onNoData: z
    .enum(["hold", "rollback"])
    .default("hold")
    .describe("What follows when no outcome of the canary came for 10 minutes: hold, and say what is proven; or roll back."),
});

export type Checks = z.infer<typeof ChecksSchema>;
