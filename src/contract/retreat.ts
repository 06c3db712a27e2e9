import * as z from "zod";
import { PlaceSchema } from "./groups.ts";
import { grownVariant, lanesOf } from "./lanes.ts";
import { DurationSchema, ShareSchema } from "./units.ts";
import { isTagOnly, type Variants } from "./variants.ts";

const FULL_BP = 10_000;
const LEAST_STEP_BP = 100;
const LEAST_MS = 1_000;
const LONGEST_MS = 3_600_000;

/** How much more stable can take at once. */
export const RetreatSchema = z
  .strictObject({
    step: ShareSchema.refine((bp) => bp >= LEAST_STEP_BP, {
      error: "a step below 1% leads nowhere; write one from 1% to 100%",
      abort: true,
    }).describe("The most of all users that go back to stable at once."),
    every: DurationSchema.refine((ms) => ms >= LEAST_MS, { error: "no time for stable to grow; write one like 30s", abort: true })
      .default(30_000)
      .describe("How long stable needs until it can take as many again; 30s when absent."),
  })
  .refine(({ step, every }) => (Math.ceil(FULL_BP / step) - 1) * every <= LONGEST_MS, {
    error: "the way back from 100% would last longer than an hour; write larger steps, or a shorter time",
    path: ["every"],
  });

/** What a way back in steps leaves on the canary. */
export const LeftSchema = z.strictObject({
  shareBp: z.int().min(0).max(FULL_BP).describe("Basis points."),
  groups: PlaceSchema.groups.optional(),
  group: PlaceSchema.group.optional(),
  begunAtMs: z.int().nullable().describe("When every known sidecar obeyed this step, Unix milliseconds; null before."),
});

/** A retreat: `step` in basis points, `every` in milliseconds. */
export type Retreat = z.infer<typeof RetreatSchema>;

/** That of a rollout that names no limit. */
export const AT_ONCE: Retreat = { step: FULL_BP, every: 0 };

/** Why a rollout with these variants cannot go back in steps; undefined where it can. */
export function retreatFault(variants: Variants): string | undefined {
  if (isTagOnly(variants)) return "the rollout only sets tags and sends no load anywhere; leave retreat out";
  const grown = grownVariant(variants);
  const widthBp = lanesOf(variants).get(grown)?.widthBp ?? 0;
  if (widthBp === FULL_BP) return undefined;
  return `${grown} has a lane of ${widthBp / 100}%, above which its share cannot fall in steps; leave retreat out, or make ${grown} the only variant beside stable, without a lane`;
}
