import * as z from "zod";
import { grownVariant, lanesOf } from "./lanes.ts";
import { DurationSchema, ShareSchema } from "./units.ts";

const FULL_BP = 10_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A ramp with all that its preset says written out: shares in basis points, times in milliseconds. */
export interface Ramp {
  /** Share of the first step; undefined: from the budget. */
  readonly startBp?: number | undefined;
  /** Failed requests that a dead canary costs at the first share until it is seen. */
  readonly budget: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** `again`: so often it is entered anew after doubt there. */
  readonly holdback: Readonly<{ shareBp: number; timeMs: number; again: number }>;
}

/**
 * By chance doubt ends a good rollout's first holdback one time in five at most, and each later one, which begins at odds below three,
 * three times in five: all four one time in 23.
 */
const AGAIN = 3;

type RampPreset = "careful" | "standard" | "fast";

/** Shipped presets: `fast` for services where a minute shows most faults, `careful` for those where a day is short. */
export const RAMP_PRESETS: Readonly<Record<RampPreset, Omit<Ramp, "startBp">>> = {
  careful: { budget: 10, minTimeMs: 30 * MINUTE, maxTimeMs: 4 * HOUR, holdback: { shareBp: 500, timeMs: 2 * HOUR, again: AGAIN } },
  standard: { budget: 20, minTimeMs: 5 * MINUTE, maxTimeMs: HOUR, holdback: { shareBp: 500, timeMs: 30 * MINUTE, again: AGAIN } },
  fast: { budget: 20, minTimeMs: MINUTE, maxTimeMs: 30 * MINUTE, holdback: { shareBp: 500, timeMs: 5 * MINUTE, again: AGAIN } },
};

/** No evidence speaks for more before the first step. */
const MOST_START_BP = 1_000;
/** The ramp itself ends here: above it stable is as small as the canary, and says as little. */
export const RAMP_CAP_BP = 5_000;

const HoldbackSchema = z.strictObject({
  share: ShareSchema.refine(
    (shareBp) => shareBp > 0 && shareBp <= RAMP_CAP_BP,
    "no share that can be held back; write one from 0.01% to 50%",
  )
    .default(500)
    .describe(
      "Users that stay on stable; more of them show a late fault sooner, and are served the old version for longer. 5% when absent.",
    ),
  time: DurationSchema.optional().describe(
    "How long, before everyone gets the canary; the only guard against faults that begin late. 30m by standard, fast 5m, careful 2h.",
  ),
  again: z
    .int()
    .min(0)
    .max(100)
    .default(AGAIN)
    .describe(
      "How often the ramp leads into the holdback again after doubt there sent it back; once more, and it pauses for a person. 3 when absent.",
    ),
});

const RampSettingsSchema = z
  .strictObject({
    preset: z.enum(["careful", "standard", "fast"]).default("standard").describe("What is absent below is this preset's."),
    start: ShareSchema.refine(
      (shareBp) => shareBp > 0 && shareBp <= MOST_START_BP,
      "no share to start with before any evidence; write one from 0.01% to 10%",
    )
      .optional()
      .describe("Share of the first step; when absent, what the budget allows at the traffic that is seen, from 0.01% to 10%."),
    budget: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe(
        "Sets the first share alone: there a canary that fails always costs so many failed requests in 15 s, in which it is seen; less starts smaller. Later shares follow from the evidence; what the whole rollout may cost is `blastRadius`. 20 when absent, careful 10.",
      ),
    minTime: DurationSchema.optional().describe(
      "Shortest time before 95%; a fault that shows later than this is left to the holdback. 5m by standard, fast 1m, careful 30m.",
    ),
    maxTime: DurationSchema.optional().describe(
      "Longest time without proof that the canary is safe for everybody; then it pauses and says what is not proven, and never goes on by the clock. 60m by standard, fast 30m, careful 4h.",
    ),
    holdback: HoldbackSchema.optional().describe("After the ramp most users have the canary and a few stay on stable, still judged."),
  })
  .superRefine((settings, context) => {
    const { minTimeMs, maxTimeMs } = rampFrom(settings);
    if (minTimeMs < maxTimeMs) return;
    const path = [settings.maxTime === undefined ? "minTime" : "maxTime"];
    const message = "the ramp would pause before its shortest time is over; write a maxTime that is longer than minTime";
    context.addIssue({ code: "custom", path, message });
  });

/** In a plan's state. */
export const ReturnsSchema = z.int().min(1).optional().describe("How often doubt led from the holdback back to the ramp; absent before.");

/** `auto`, or a mapping of what is different from a preset. */
export const RampSchema = z.union([z.literal("auto"), RampSettingsSchema]);

type RampSettings = z.infer<typeof RampSettingsSchema>;

/** The ramp that these words mean. */
export const rampOfWords = (words: z.infer<typeof RampSchema>): Ramp => rampFrom(words === "auto" ? { preset: "standard" } : words);

function rampFrom({ preset, start, budget, minTime, maxTime, holdback }: RampSettings): Ramp {
  const its = RAMP_PRESETS[preset];
  return {
    startBp: start,
    budget: budget ?? its.budget,
    minTimeMs: minTime ?? its.minTimeMs,
    maxTimeMs: maxTime ?? its.maxTimeMs,
    holdback: {
      shareBp: holdback?.share ?? its.holdback.shareBp,
      timeMs: holdback?.time ?? its.holdback.timeMs,
      again: holdback?.again ?? its.holdback.again,
    },
  };
}

/** Share of the canary while the rest is held back, in basis points. */
export const heldBackBp = ({ holdback }: Ramp): number => FULL_BP - holdback.shareBp;

/** What is wrong with a ramp of these variants: it grows one of them, nearly to everyone, so that no other has a lane worth the name. */
export function rampFault(variants: Parameters<typeof lanesOf>[0], ramp: Ramp): string | undefined {
  const grown = grownVariant(variants);
  const { widthBp = FULL_BP } = lanesOf(variants).get(grown) ?? {};
  if (widthBp >= heldBackBp(ramp)) return undefined;
  const [has, needs] = [widthBp, heldBackBp(ramp)].map((bp) => `${bp / 100}%`);
  return `the ramp takes ${grown} to ${needs}, and its lane is ${has}; write stages, or give it a wider lane`;
}
