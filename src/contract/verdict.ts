import * as z from "zod";

/** Names of checks that say whether requests fail. */
export const ERROR_CHECKS: ReadonlySet<string> = new Set(["errors", "newly failing users"]);

/** What the evidence says: `unknown` is too little or no data, and is never treated as `advance`. */
export const VerdictSchema = z.enum(["advance", "hold", "rollback", "unknown"]);

/** One check of a verdict with its numbers. Ratios are 0…1, differences are canary minus stable. */
export const CheckRecordSchema = z.strictObject({
  name: z.string().describe("`errors`, `newly failing users`, `slow p50`, `slow p90`, `slow p99`, or one of the rollout's own."),
  verdict: VerdictSchema,
  weight: z.number().min(0).max(1).describe("Part of the wager that is on this check; 0 for one that only advises."),
  stable: z.number().nullable().describe("Ratio on concurrent stable over the whole rollout; null without data."),
  canary: z.number().nullable().describe("Ratio on the canary; null without data."),
  difference: z.number().nullable().describe("Canary minus stable."),
  lower: z
    .number()
    .nullable()
    .describe(
      "Anytime lower bound on the difference from the tolerated ratio of stable's: the tolerated one when harm is certain; null before.",
    ),
  upper: z.number().nullable().describe("Anytime upper bound on the difference; null when nothing is proven yet."),
  threshold: z.number().describe("Tolerated difference."),
  odds: z.number().describe("Evidence against `no worse than tolerated`: 100 means 100 : 1."),
  dispersion: z.number().min(1).describe("How many outcomes count as one, because they come in clumps; evidence is divided by it."),
  stableSample: z.int().min(0),
  canarySample: z.int().min(0),
  isRatio: z
    .literal(false)
    .exactOptional()
    .describe("Where figures are no ratios: a gauge's are in its own unit, and a webhook has none; absent of all other checks."),
});

/** A verdict with everything that led to it; log, audit, `status` and page print this same value. */
export const VerdictRecordSchema = z.strictObject({
  verdict: VerdictSchema,
  reason: z.string().describe("One line for people."),
  proven: z.string().describe("What is proven so far, for people, like `not worse by more than 5 points`."),
  odds: z
    .number()
    .min(0)
    .describe("Evidence of all checks against `no worse than tolerated`: 340 means 340 : 1; it rolls back at 1 / alpha."),
  alpha: z.number().describe("Chance of ever rolling back a canary within tolerance."),
  safeShareBp: z.int().min(0).max(10_000).describe("The largest share that the evidence calls safe, in basis points."),
  checks: z.array(CheckRecordSchema),
  unended: z
    .strictObject({ stable: z.int().min(0), canary: z.int().min(0) })
    .describe("Requests counted as slow because they have not ended 2 s after their decision."),
  atMs: z.int().describe("Unix milliseconds."),
  sinceMs: z.int().describe("Begin of the evidence, Unix milliseconds."),
  run: z.int().min(0),
  runSample: z.int().min(0).describe("Canary outcomes of the current run."),
  revision: z
    .strictObject({ epoch: z.int(), revision: z.int() })
    .exactOptional()
    .describe("First rule set that carries this run; absent where no rules were in force, as in a simulation."),
  rate: z.number().min(0).exactOptional().describe("Requests per second of both sides lately; absent while it is not known."),
  canaryAtMs: z.int().exactOptional().describe("Last outcome of the canary, Unix milliseconds; absent before the first."),
  inputs: z.string().describe("Hash of all evidence that led here: the same on every machine that judged the same."),
});

export type Verdict = z.infer<typeof VerdictSchema>;
export type CheckRecord = z.infer<typeof CheckRecordSchema>;
export type VerdictRecord = z.infer<typeof VerdictRecordSchema>;
