import * as z from "zod";

/** What keeps a rollout from advancing, and since when. */
export const HeldSchema = z
  .strictObject({
    sinceMs: z.int().describe("Unix milliseconds."),
    reason: z.string().min(1).describe("For people."),
    now: z.string().min(1).optional().describe("What that comes to at the moment, like how many of how many; absent where it is all said."),
  })
  .optional()
  .describe("What keeps it from advancing, as a freeze does; absent where nothing does. No deadline comes nearer.");
