import * as z from "zod";
import { CalendarSchema } from "./calendar.ts";
import { HandoverSchema } from "./handover.ts";
import { NameSchema } from "./name-schema.ts";

/** What becomes of a new version while an older one of the same rollout runs. */
export const OnNewVersionSchema = z.enum(["replace", "queue", "refuse"]);

/** What ties a rollout to the calendar, to other rollouts and to what comes after it: fields of its file. */
export const RELATIONS = {
  calendar: z
    .union(
      [NameSchema, CalendarSchema],
      "not a calendar; write the name of one in the policy's calendars, or one with advanceOnly or never",
    )
    .optional()
    .describe(
      "When it may advance: the name of one of the policy's `calendars`, or a calendar of its own. The policy's own calendar holds too.",
    ),
  after: z
    .array(NameSchema)
    .min(1)
    .max(50)
    .optional()
    .describe("Rollouts that come first: none of its users is shared out before each of these is promoted."),
  together: NameSchema.optional().describe(
    "A group: of those that name it and have not ended, none takes its next step before all have earned theirs, and when one goes back, all do.",
  ),
  service: NameSchema.optional().describe(
    "The service that it changes: of those that name the same, one runs at a time, and later ones wait in a queue until it has ended.",
  ),
  onNewVersion: OnNewVersionSchema.optional().describe(
    "What becomes of this version when an older one still runs: `refuse` it, `queue` it until that has ended, or `replace` that one, which goes back first. `refuse` when absent.",
  ),
  handover: HandoverSchema,
} as const;
