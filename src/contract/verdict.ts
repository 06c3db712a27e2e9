import { z } from "zod";

/** What the evidence says: `unknown` is too little or no data, and is never treated as `advance`. */
export const VerdictSchema = z.enum(["advance", "hold", "rollback", "unknown"]);

/** One check of a verdict with its numbers. Ratios are 0…1, differences are canary minus stable. */
export const CheckRecordSchema = z.strictObject({
  name: z.string().describe("`errors`, `slow p50`, `slow p90`, `slow p99`."),
  verdict: VerdictSchema,
  stable: z.number().nullable().describe("Ratio on concurrent stable over the whole rollout; null without data."),
  canary: z.number().nullable().describe("Ratio on the canary; null without data."),
  difference: z.number().nullable().describe("Canary minus stable."),
  upper: z.number().nullable().describe("Anytime upper bound on the difference; null when nothing is proven yet."),
  threshold: z.number().describe("Tolerated difference."),
  odds: z.number().describe("Evidence against `no worse than tolerated`: 100 means 100 : 1."),
  stableSample: z.int().min(0),
  canarySample: z.int().min(0),
});

/** A verdict with everything that led to it; log, audit, `status` and page print this same value. */
export const VerdictRecordSchema = z.strictObject({
  verdict: VerdictSchema,
  reason: z.string().describe("One line for people."),
  safeShareBp: z.int().min(0).max(10_000).describe("The largest share that the evidence calls safe, in basis points."),
  checks: z.array(CheckRecordSchema),
  unended: z
    .strictObject({ stable: z.int().min(0), canary: z.int().min(0) })
    .describe("Requests counted as slow because they have not ended 2 s after their decision."),
  atMs: z.int().describe("Unix milliseconds."),
  sinceMs: z.int().describe("Begin of the evidence, Unix milliseconds."),
  run: z.int().min(0),
  runSample: z.int().min(0).describe("Canary outcomes of the current run."),
});

export type Verdict = z.infer<typeof VerdictSchema>;
export type CheckRecord = z.infer<typeof CheckRecordSchema>;
export type VerdictRecord = z.infer<typeof VerdictRecordSchema>;
