import { fc, test as prop } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { type Calendar, CalendarSchema, DAYS } from "../../../../src/contract/calendar.ts";
import { closedAt, readCalendar, zoneText } from "../../../../src/core/plan/calendar.ts";

type Written = Parameters<typeof CalendarSchema.parse>[0];

const parsed = (written: Written): Calendar => CalendarSchema.parse(written);
const shut = (written: Written, at: string) => closedAt([readCalendar(parsed(written))], Date.parse(at));
const opens = (written: Written, at: string): string | undefined => {
  const opensMs = shut(written, at)?.opensMs;
  return opensMs === undefined ? undefined : new Date(opensMs).toISOString().slice(0, 16);
};

const office = { zone: "Europe/Berlin", advanceOnly: [{ days: ["mon", "tue", "wed", "thu"], from: "09:00", to: "16:00" }] };

describe("a calendar with windows", () => {
  test.each([
    { title: "is open from the first minute", at: "2026-11-26T08:00:00Z" },
    { title: "is open to the last moment", at: "2026-11-26T14:59:59.999Z" },
    { title: "follows summer time", at: "2026-07-02T07:00:00Z" },
  ])("$title", ({ at }) => {
    expect(shut(office, at)).toBeUndefined();
  });

  test.each([
    { title: "opens on the same day", at: "2026-11-26T07:59:59Z", opensAt: "2026-11-26T08:00" },
    { title: "opens on the next working day", at: "2026-11-26T15:00:00Z", opensAt: "2026-11-30T08:00" },
    { title: "opens an hour earlier by UTC when summer time begins in between", at: "2026-03-26T15:00:00Z", opensAt: "2026-03-30T07:00" },
    { title: "opens an hour later by UTC when summer time ends in between", at: "2026-10-22T14:00:00Z", opensAt: "2026-10-26T08:00" },
  ])("$title", ({ at, opensAt }) => {
    expect(opens(office, at)).toBe(opensAt);
  });

  test("says which windows there are, and when the next one opens by the clock on the wall", () => {
    expect(shut(office, "2026-11-26T15:00:00Z")?.reason).toBe(
      "outside its windows (mon, tue, wed, thu 09:00–16:00 Europe/Berlin); opens mon 2026-11-30 09:00 Europe/Berlin",
    );
  });

  test.each([
    { title: "begins on its day", at: "2026-11-27T21:59:00Z", opensAt: "2026-11-27T22:00" },
    { title: "goes on after midnight", at: "2026-11-28T03:59:00Z", opensAt: undefined },
    { title: "ends on the next day", at: "2026-11-28T04:00:00Z", opensAt: "2026-12-04T22:00" },
  ])("a window over midnight $title", ({ at, opensAt }) => {
    expect(opens({ advanceOnly: [{ days: ["fri"], from: "22:00", to: "04:00" }] }, at)).toBe(opensAt);
  });

  test("a window without days and times is open for whole days, in a zone of its own", () => {
    const written = { advanceOnly: [{ days: ["sat"], zone: "Asia/Kolkata" }] };
    expect(opens(written, "2026-11-26T00:00:00Z")).toBe("2026-11-27T18:30");
    expect(shut({ advanceOnly: [{ from: "09:00" }] }, "2026-11-26T08:00:00Z")?.reason).toContain("(09:00–24:00 UTC)");
  });
});

describe("a calendar where the clock jumps", () => {
  const night = { zone: "Europe/Berlin", advanceOnly: [{ from: "02:15", to: "02:45" }] };
  test.each([
    { title: "leaves a window out that the clock jumps over", at: "2026-03-28T02:00:00Z", opensAt: "2026-03-30T00:15" },
    { title: "opens a window for the first of two equal hours", at: "2026-10-24T23:00:00Z", opensAt: "2026-10-25T00:15" },
    { title: "opens it again for the second", at: "2026-10-25T00:50:00Z", opensAt: "2026-10-25T01:15" },
  ])("$title", ({ at, opensAt }) => {
    expect(opens(night, at)).toBe(opensAt);
  });

  test("opens where the clock jumps into a window", () => {
    expect(opens({ zone: "Europe/Berlin", advanceOnly: [{ from: "02:30", to: "05:00" }] }, "2026-03-29T00:30:00Z")).toBe(
      "2026-03-29T01:00",
    );
  });

  test("opens again where the clock is put back into a window", () => {
    expect(opens({ zone: "Europe/Berlin", advanceOnly: [{ from: "01:00", to: "02:10" }] }, "2026-10-25T00:30:00Z")).toBe(
      "2026-10-25T01:00",
    );
  });
});

describe("days on which nothing advances", () => {
  const holidays = { ...office, never: [{ from: "2026-12-21", to: "2027-01-03", reason: "end of year" }] };

  test("are closed from the first to the end of the last, and the next window opens afterwards", () => {
    expect(shut(holidays, "2026-12-20T22:59:00Z")?.reason).toContain("outside its windows");
    expect(shut(holidays, "2026-12-21T10:00:00Z")).toEqual({
      reason: "closed by the calendar (end of year); opens mon 2027-01-04 09:00 Europe/Berlin",
      opensMs: Date.parse("2027-01-04T08:00:00Z"),
    });
  });

  test("may begin and end at a time of day", () => {
    const written = { never: [{ from: "2026-12-21T18:00", to: "2026-12-22T06:00", zone: "America/New_York" }] };
    expect([shut(written, "2026-12-21T22:59:59Z"), opens(written, "2026-12-21T23:00:00Z")]).toEqual([undefined, "2026-12-22T11:00"]);
    expect(shut(written, "2026-12-22T00:00:00Z")?.reason).toBe("closed by the calendar; opens tue 2026-12-22 11:00 UTC");
  });
});

describe("two calendars", () => {
  const day = (name: (typeof DAYS)[number]) => readCalendar(parsed({ advanceOnly: [{ days: [name] }] }));

  test("open where both do", () => {
    const early = readCalendar(parsed({ advanceOnly: [{ from: "06:00", to: "12:00" }] }));
    const late = readCalendar(parsed({ advanceOnly: [{ from: "11:00", to: "18:00" }] }));
    const nowMs = Date.parse("2026-11-26T12:00:00Z");
    expect(closedAt([early, late], nowMs)?.opensMs).toBe(Date.parse("2026-11-27T11:00:00Z"));
    expect(closedAt([early, late], nowMs - 1)).toBeUndefined();
  });

  test("that never open together say so", () => {
    const closed = closedAt([day("mon"), day("tue")], Date.parse("2026-11-26T12:00:00Z"));
    expect(closed).toEqual({ reason: "outside its windows (mon 00:00–24:00 UTC); calendars leave no time to advance", opensMs: undefined });
  });
});

test("a moment reads as the clock on the wall shows it", () => {
  expect(zoneText(Date.parse("2024-02-29T00:00:59Z"), "UTC")).toBe("thu 2024-02-29 00:00 UTC");
});

const HOUR = 3_600_000;

/** The last Sunday of a month, 01:00 UTC: when summer time of the European Union begins and ends (Directive 2000/84/EC). */
const lastSunday = (year: number, month: number): number => {
  const last = new Date(Date.UTC(year, month + 1, 0));
  return Date.UTC(year, month, last.getUTCDate() - last.getUTCDay(), 1);
};
/** The n-th Sunday of a month, at 02:00 by a clock so many hours behind UTC: summer time of the United States (15 U.S.C. 260a). */
const nthSunday = (year: number, month: number, nth: number, behind: number): number => {
  const first = new Date(Date.UTC(year, month, 1)).getUTCDay();
  return Date.UTC(year, month, 1 + ((7 - first) % 7) + 7 * (nth - 1), 2 + behind);
};

/** Hours ahead of UTC by the laws alone. */
const AHEAD = {
  UTC: () => 0,
  "Europe/Berlin": (ms: number) => {
    const year = new Date(ms).getUTCFullYear();
    return ms >= lastSunday(year, 2) && ms < lastSunday(year, 9) ? 2 : 1;
  },
  "America/New_York": (ms: number) => {
    const year = new Date(ms).getUTCFullYear();
    return ms >= nthSunday(year, 2, 2, 5) && ms < nthSunday(year, 10, 1, 4) ? -4 : -5;
  },
} as const;

type Zone = keyof typeof AHEAD;

/** Whether a window is open, by the laws and by plain fields of dates. */
function isOpenByLaw({ advanceOnly = [], never, zone: common }: Calendar, ms: number): boolean {
  const wall = (zone: string): Date => new Date(ms + AHEAD[zone as Zone](ms) * HOUR);
  const dayOf = (date: Date): string => DAYS[(date.getUTCDay() + 6) % 7] ?? "";
  const inWindow = ({ days = [...DAYS], from, to, zone = common }: NonNullable<Calendar["advanceOnly"]>[number]): boolean => {
    const now = wall(zone);
    const time = now.toISOString().slice(11, 16);
    const [today, yesterday] = [dayOf(now), dayOf(new Date(now.getTime() - 24 * HOUR))] as (typeof DAYS)[number][];
    const on = (day: (typeof DAYS)[number] | undefined): boolean => day !== undefined && days.includes(day);
    return from < to ? on(today) && time >= from && time < to : (on(today) && time >= from) || (on(yesterday) && time < to);
  };
  const isNever = never.some(({ from, to, zone = common }) => {
    const now = wall(zone).toISOString().slice(0, 16);
    return now >= from && (to.includes("T") ? now < to : now.slice(0, 10) <= to);
  });
  return (advanceOnly.length === 0 || advanceOnly.some(inWindow)) && !isNever;
}

const zone = fc.constantFrom<Zone>("UTC", "Europe/Berlin", "America/New_York");
const time = fc.integer({ min: 0, max: 95 }).map((quarter) => new Date(quarter * HOUR * 0.25).toISOString().slice(11, 16));
/** Hours around all that the two laws do in 2026, and any others of that year. */
const instant = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(lastSunday(2026, 2), lastSunday(2026, 9), nthSunday(2026, 2, 2, 5), nthSunday(2026, 10, 1, 4)),
      fc.integer({ min: -1_800, max: 1_800 }),
    )
    .map(([turn, minutes]) => turn + minutes * 60_000),
  fc.integer({ min: 0, max: 525_599 }).map((minute) => Date.UTC(2026, 0, 1) + minute * 60_000),
);
const calendar = fc
  .record({
    zone,
    windows: fc.array(
      fc
        .record({ days: fc.uniqueArray(fc.constantFrom(...DAYS), { minLength: 1 }), from: time, to: time, zone })
        .filter(({ from, to }) => from !== to),
      { minLength: 1, maxLength: 3 },
    ),
    day: instant,
  })
  .map(({ zone: common, windows, day }) => {
    const date = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    return parsed({ zone: common, advanceOnly: windows, never: [{ from: date(day), to: date(day + 2 * 24 * HOUR) }] });
  });

prop.prop([calendar, instant])("is open when the laws of summer time say so", (written, ms) => {
  expect(closedAt([readCalendar(written)], ms) === undefined).toBe(isOpenByLaw(written, ms));
});

prop.prop([calendar, instant], { numRuns: 60 })(
  "opens at the first minute at which it is open by the laws, and at no earlier one",
  (written, ms) => {
    const closed = closedAt([readCalendar(written)], ms);
    fc.pre(closed !== undefined);
    let minute = Math.floor(ms / 60_000) + 1;
    while (!isOpenByLaw(written, minute * 60_000)) minute += 1;
    expect(closed?.opensMs).toBe(minute * 60_000);
  },
);

test.each([
  [
    { zone: "Mars/Olympus", never: [{ from: "2026-01-01", to: "2026-01-02" }] },
    "not a time zone; write a name of the IANA database, like Europe/Berlin, or UTC",
  ],
  [
    { zone: "+02:00", never: [{ from: "2026-01-01", to: "2026-01-02" }] },
    "not a time zone; write a name of the IANA database, like Europe/Berlin, or UTC",
  ],
  [{}, "says nothing; write advanceOnly or never"],
  [{ advanceOnly: [{ from: "9:00" }] }, 'not a time of day; write one from "00:00" to "24:00", like "09:00"'],
  [{ advanceOnly: [{ from: "09:00", to: "09:00" }] }, "from and to are the same, so it never opens; leave both out for whole days"],
  [
    { never: [{ from: "2026-02-30", to: "2026-03-01" }] },
    "not a date; write one like 2026-12-20, or with a time of day like 2026-12-20T18:00",
  ],
  [
    { never: [{ from: "2026-03-01T24:00", to: "2026-03-02" }] },
    "not a date; write one like 2026-12-20, or with a time of day like 2026-12-20T18:00",
  ],
  [{ never: [{ from: "2026-03-02", to: "2026-03-01" }] }, "to is before from; write the earlier one first"],
])("a calendar %j is refused: %s", (written, message) => {
  expect(CalendarSchema.safeParse(written).error?.issues.map((issue) => issue.message)).toContain(message);
});
