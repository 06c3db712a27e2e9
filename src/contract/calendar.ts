import * as z from "zod";

/** Days of the week as files write them, Monday first. */
export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

const TIME = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

/** True of an IANA name that this machine knows; offsets like +02:00 know no summer time. */
function isZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false; // A RangeError is the platform's way to say that there is no such zone.
  }
}

function isMoment(text: string): boolean {
  const [date, time, ...more] = text.split("T");
  return z.iso.date().safeParse(date).success && (time === undefined || (TIME.test(time) && time !== "24:00")) && more.length === 0;
}

const ZoneSchema = z.string().max(100).refine(isZone, "not a time zone; write a name of the IANA database, like Europe/Berlin, or UTC");
const OwnZoneSchema = ZoneSchema.optional().describe("IANA time zone, like Europe/Berlin; that of the calendar when absent.");
const TimeSchema = z.string().regex(TIME, 'not a time of day; write one from "00:00" to "24:00", like "09:00"');
const MomentSchema = z.string().refine(isMoment, "not a date; write one like 2026-12-20, or with a time of day like 2026-12-20T18:00");

const WindowSchema = z
  .strictObject({
    days: z.array(z.enum(DAYS)).min(1).max(7).optional().describe("Days on which it opens, like [mon, tue]; every day when absent."),
    from: TimeSchema.default("00:00").describe('When it opens, by the clock on the wall, like "09:00"; midnight when absent.'),
    to: TimeSchema.default("24:00").describe("When it closes; on the next day where that is earlier than `from`. Midnight when absent."),
    zone: OwnZoneSchema,
  })
  .refine(({ from, to }) => from !== to, {
    message: "from and to are the same, so it never opens; leave both out for whole days",
    path: ["to"],
  });

const NeverSchema = z
  .strictObject({
    from: MomentSchema.describe("First day, like 2026-12-20, or a moment like 2026-12-20T18:00, by the clock on the wall."),
    to: MomentSchema.describe("Last day, which is still closed; or a moment, at which it opens."),
    zone: OwnZoneSchema,
    reason: z.string().min(1).max(200).optional().describe("Shown while it holds."),
  })
  .refine(({ from, to }) => from <= to, { message: "to is before from; write the earlier one first", path: ["to"] });

/** When rollouts may advance; going back is free at all times. */
export const CalendarSchema = z
  .strictObject({
    zone: ZoneSchema.default("UTC").describe("IANA time zone of all that names none, like Europe/Berlin; UTC when absent."),
    advanceOnly: z
      .array(WindowSchema)
      .min(1)
      .max(50)
      .optional()
      .describe("Rollouts advance in any of these windows only; at all times when absent."),
    never: z.array(NeverSchema).max(100).default([]).describe("Rollouts advance in none of these, whatever window is open."),
  })
  .refine(({ advanceOnly, never }) => advanceOnly !== undefined || never.length > 0, {
    message: "says nothing; write advanceOnly or never",
    path: ["zone"],
  });

export type Calendar = z.infer<typeof CalendarSchema>;
