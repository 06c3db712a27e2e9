import * as z from "zod";
import { CalendarSchema } from "./calendar.ts";
import { AuditSchema, ReplySchema, WhoSchema } from "./messages.ts";
import { NameSchema } from "./name-schema.ts";
import { FORMAT } from "./names.ts";
import { NotificationsSchema } from "./notifications.ts";
import { OnNewVersionSchema } from "./relations.ts";

/** What holds for all rollouts, as people keep it in git; there is one, and an `apply` replaces it whole. */
export const PolicySchema = z.strictObject({
  apiVersion: z.literal("serin/v1").describe("Version of this file's form."),
  kind: z.literal("Policy").describe("What this file is."),
  calendar: CalendarSchema.optional().describe("When any rollout may advance."),
  calendars: z
    .record(NameSchema, CalendarSchema)
    .optional()
    .describe("Calendars by name, for rollouts that ask for one by `calendar: NAME`; they hold beside the one for all."),
  notifications: NotificationsSchema.optional(),
  limits: z
    .strictObject({
      active: z
        .int()
        .min(1)
        .max(10_000)
        .optional()
        .describe("Most rollouts at once between their begin and their promotion; later ones wait for their turn. No limit when absent."),
    })
    .optional()
    .describe("What rollouts together may not exceed."),
  defaults: z
    .strictObject({
      preset: z.enum(["careful", "standard", "fast"]).optional().describe("`checks.preset` of rollouts that name none."),
      calendar: NameSchema.optional().describe("`calendar` of rollouts that have none: a name of `calendars`."),
      onNewVersion: OnNewVersionSchema.optional().describe("`onNewVersion` of rollouts that do not say."),
    })
    .optional()
    .describe("What rollouts get at their `apply` where they say nothing; those that run keep what they have."),
});

/** Nothing advances in the whole mesh; what goes back still does. */
export const FreezeSchema = z.strictObject({
  who: WhoSchema,
  reason: z.string().min(1).max(1_000).optional(),
  sinceMs: z.int().describe("Unix milliseconds."),
  untilMs: z.int().optional().describe("When it ends by itself, Unix milliseconds; absent where somebody must end it."),
});

/** The freeze as the leader keeps it, with the answers to its commands and the audit that it owes. */
export const FreezeRecordSchema = z.strictObject({
  format: z.literal(FORMAT),
  freeze: FreezeSchema.nullable().describe("Null while nothing is frozen."),
  commands: z.array(z.strictObject({ id: z.string(), reply: ReplySchema })).max(32),
  outbox: z.array(AuditSchema).max(64),
});

export type Policy = z.infer<typeof PolicySchema>;
export type PolicyInput = z.input<typeof PolicySchema>;
export type Freeze = z.infer<typeof FreezeSchema>;
export type FreezeRecord = z.infer<typeof FreezeRecordSchema>;
