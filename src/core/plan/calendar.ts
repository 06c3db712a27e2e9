import { type Calendar, DAYS } from "../../contract/calendar.ts";

/** A calendar made ready: all times are minutes of a clock on the wall, counted from 1970-01-01T00:00 of that clock. */
export interface Times {
  /** In which people read when it opens. */
  readonly clock: Clock;
  /** Any of these; at all times where there is none. */
  readonly windows: readonly Window[];
  readonly nevers: readonly Never[];
}

/** What keeps a calendar closed. */
export interface Closed {
  readonly reason: string;
  /** When it opens, Unix milliseconds; undefined where that is not in sight. */
  readonly opensMs: number | undefined;
}

interface Window {
  readonly clock: Clock;
  /** By `DAYS`. */
  readonly days: readonly number[];
  /** Minutes of a day. */
  readonly from: number;
  readonly lasts: number;
  readonly text: string;
}

interface Never {
  readonly clock: Clock;
  readonly from: number;
  readonly to: number;
  readonly reason: string | undefined;
}

/** The clock on a wall of a time zone. */
interface Clock {
  /** Minutes that it shows at an instant, Unix minutes. */
  shows(minute: number): number;
  text(minute: number): string;
}

const MINUTE_MS = 60_000;
const DAY = 1_440;
/** Of 2026-12-20. */
const DATE_LENGTH = 10;
/** 1970-01-01 was a Thursday. */
const FIRST_DAY = 3;
/** Two calendars that do not open together within so many openings are taken as ones that never do. */
const MOST_OPENINGS = 60;

/** Makes a calendar ready. */
export function readCalendar({ zone, advanceOnly, never }: Calendar): Times {
  const windows = (advanceOnly ?? []).map((window): Window => {
    const [from, to] = [minutesIn(window.from), minutesIn(window.to)];
    const days = (window.days ?? DAYS).map((day) => DAYS.indexOf(day));
    const own = window.zone ?? zone;
    const text = `${window.days === undefined ? "" : `${window.days.join(", ")} `}${window.from}–${window.to} ${own}`;
    return { clock: clockOf(own), days, from, lasts: to > from ? to - from : to + DAY - from, text };
  });
  const nevers = never.map(({ from, to, zone: own = zone, reason }): Never => {
    // A last day is closed to its end.
    const end = minutesOf(to) + (to.includes("T") ? 0 : DAY);
    return { clock: clockOf(own), from: minutesOf(from), to: end, reason };
  });
  return { clock: clockOf(zone), windows, nevers };
}

/** Why these do not all stand open, and when they will; undefined when they do. */
export function closedAt(all: readonly Times[], nowMs: number): Closed | undefined {
  const now = Math.floor(nowMs / MINUTE_MS);
  const shut = all.find((times) => !isOpen(times, now));
  if (shut === undefined) return undefined;
  const opens = opensAt(all, now);
  if (opens === undefined) return { reason: `${whyShut(shut, now)}; calendars leave no time to advance`, opensMs: undefined };
  return { reason: `${whyShut(shut, now)}; opens ${shut.clock.text(opens)}`, opensMs: opens * MINUTE_MS };
}

function whyShut(times: Times, minute: number): string {
  const [never] = neversAt(times, minute);
  if (never === undefined) return `outside its windows (${times.windows.map(({ text }) => text).join("; ")})`;
  return `closed by the calendar${never.reason === undefined ? "" : ` (${never.reason})`}`;
}

const neversAt = (times: Times, minute: number): readonly Never[] =>
  times.nevers.filter(({ clock, from, to }) => clock.shows(minute) >= from && clock.shows(minute) < to);

const isOpen = (times: Times, minute: number): boolean =>
  (times.windows.length === 0 || times.windows.some((window) => isIn(window, window.clock.shows(minute)))) &&
  neversAt(times, minute).length === 0;

/** A window may have begun on the day before. */
const isIn = ({ days, from, lasts }: Window, shown: number): boolean =>
  [0, 1].some((ago) => {
    const day = Math.floor(shown / DAY) - ago;
    const since = shown - day * DAY - from;
    return since >= 0 && since < lasts && days.includes(weekdayOf(day));
  });

const weekdayOf = (day: number): number => (day + FIRST_DAY) % 7;

/** The first minute at which all are open. */
function opensAt(all: readonly Times[], now: number): number | undefined {
  let minute = now;
  for (let openings = 0; openings < MOST_OPENINGS * all.length; openings += 1) {
    const shut = all.find((times) => !isOpen(times, minute));
    if (shut === undefined) return minute;
    while (!isOpen(shut, minute)) minute = nextChange(shut, minute);
  }
  return undefined;
}

/** The next minute at which a calendar may open that is closed: nothing opens between. */
function nextChange(times: Times, minute: number): number {
  const closing = neversAt(times, minute);
  const starts =
    closing.length > 0
      ? closing.flatMap(({ clock, to }) => instantsOf(clock, to))
      : times.windows.flatMap((window) => startsOf(window, minute).flatMap((shown) => instantsOf(window.clock, shown)));
  const next = Math.min(...starts.filter((start) => start > minute));
  // Where a clock is put forward or back between, it may show at once what it would have shown later.
  const turns = [...closing, ...times.windows].flatMap(({ clock }) => turnOf(clock, minute, next));
  return Math.min(next, ...turns);
}

/** When a window opens by its clock, from yesterday to this day in a week and a day. */
const startsOf = ({ clock, days, from }: Window, minute: number): number[] => {
  const today = Math.floor(clock.shows(minute) / DAY);
  const near = Array.from({ length: 10 }, (_, index) => today - 1 + index);
  return near.filter((day) => days.includes(weekdayOf(day))).map((day) => day * DAY + from);
};

/** The instants at which a clock shows this: twice where it was put back, and an hour late where it jumped over it. */
const instantsOf = (clock: Clock, shown: number): number[] =>
  [-DAY, DAY].map((away) => shown - (clock.shows(shown + away) - (shown + away)));

/** The minute at which a clock is put forward or back between two instants; none where it runs evenly. */
function turnOf(clock: Clock, from: number, to: number): number[] {
  const ahead = (minute: number): number => clock.shows(minute) - minute;
  if (ahead(from) === ahead(to)) return [];
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (ahead(middle) === ahead(from)) before = middle;
    else after = middle;
  }
  return [after];
}

/** A moment as the clock of a zone shows it, for people; Unix milliseconds. */
export const zoneText = (ms: number, zone: string): string => clockOf(zone).text(Math.floor(ms / MINUTE_MS));

/** Minutes of a time of day. */
const minutesIn = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** Minutes of a date, or of a date with a time of day after it. */
const minutesOf = (moment: string): number =>
  dayOf(Number(moment.slice(0, 4)), Number(moment.slice(5, 7)), Number(moment.slice(8, 10))) * DAY +
  (moment.length > DATE_LENGTH ? minutesIn(moment.slice(DATE_LENGTH + 1)) : 0);

/** Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, days_from_civil); the year begins with March, so that leap days end it. */
function dayOf(year: number, month: number, day: number): number {
  const march = month > 2 ? year : year - 1;
  const days = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return march * 365 + Math.floor(march / 4) - Math.floor(march / 100) + Math.floor(march / 400) + days - 719_468;
}

/** The clock of a zone by the platform's database of time zones. */
function clockOf(zone: string): Clock {
  // Swedes write 2026-11-30 09:00.
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  const written = (minute: number): string => format.format(minute * MINUTE_MS);
  const shows = (minute: number): number => minutesOf(written(minute));
  return { shows, text: (minute) => `${DAYS[weekdayOf(Math.floor(shows(minute) / DAY))]} ${written(minute)} ${zone}` };
}
