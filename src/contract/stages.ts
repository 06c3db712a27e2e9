import * as z from "zod";
import { GateSchema } from "./gates.ts";
import { DurationSchema, ShareSchema } from "./units.ts";

export const StageSchema = z.strictObject({
  share: ShareSchema.refine((shareBp) => shareBp !== 10_000, "100% is no stage; leave it out, promotion follows the last stage").describe(
    "Users on the canary, like 5%; below 100%, which follows the last stage by promotion.",
  ),
  shares: z
    .record(z.string(), ShareSchema)
    .optional()
    .describe("Users on the other variants beside stable, like {b: 5%}; none of them when absent."),
  minTime: DurationSchema.default(300_000).describe("Shortest stay in this stage; 5m when absent."),
  minSample: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(200)
    .describe("Fewest canary outcomes in this stage before it may advance; 200 when absent."),
  gate: GateSchema.optional().describe("Asked when the stage has earned its next step; none when absent."),
});

/** The stages of a canary: shares rise from stage to stage and stay below 100 %. */
export const StagesSchema = z
  .array(StageSchema)
  .min(1)
  .max(50)
  .superRefine((stages, context) => {
    let before = 0;
    for (const [index, { share }] of stages.entries()) {
      if (share <= before) {
        const problem = share === 0 ? "a share of 0% tests nothing" : `${share / 100}% is not more than the ${before / 100}% before it`;
        context.addIssue({ code: "custom", path: [index, "share"], message: `${problem}; shares rise from stage to stage` });
      }
      before = Math.max(before, share);
    }
  });

/** One parsed stage: `share` in basis points, `minTime` in milliseconds, `minSample` in canary outcomes. */
export type Stage = z.infer<typeof StageSchema>;

const MINUTE = 60_000;
const stage = (shareBp: number, minTimeMs: number, minSample: number): Stage => ({ share: shareBp, minTime: minTimeMs, minSample });

/** Shipped presets: `fast` for busy services that can see a fault in seconds, `careful` for those where a day is short. */
export const PRESETS: Readonly<Record<"fast" | "standard" | "careful", readonly Stage[]>> = {
  fast: [stage(100, 10_000, 50), stage(500, 10_000, 200), stage(2_500, 10_000, 500), stage(5_000, 10_000, 1_000)],
  standard: [stage(100, 5 * MINUTE, 100), stage(500, 10 * MINUTE, 300), stage(2_500, 10 * MINUTE, 1_000), stage(5_000, 10 * MINUTE, 2_000)],
  careful: [
    stage(10, 30 * MINUTE, 100),
    stage(100, 60 * MINUTE, 500),
    stage(500, 120 * MINUTE, 1_000),
    stage(1_000, 120 * MINUTE, 2_000),
    stage(2_500, 240 * MINUTE, 5_000),
    stage(5_000, 240 * MINUTE, 10_000),
  ],
};
