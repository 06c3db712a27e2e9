const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long each phase that is no end may last, in milliseconds; `stageMs` comes on top of the stage's own minimum time. */
export interface Deadlines {
  readonly pendingMs: number;
  readonly stageMs: number;
  readonly pausedMs: number;
  readonly promotingMs: number;
  readonly promotedMs: number;
  readonly rollingBackMs: number;
}

/**
 * Deadlines in production. The way back takes 35 s at most: a sidecar that hears nothing sends its shares home by itself
 * after 30 s, so later than that nobody is on the canary whoever confirmed.
 */
export const DEADLINES: Deadlines = {
  pendingMs: 10 * MINUTE,
  stageMs: DAY,
  pausedMs: 7 * DAY,
  promotingMs: 10 * MINUTE,
  promotedMs: 7 * DAY,
  rollingBackMs: 35_000,
};

const UNITS = [
  ["d", DAY],
  ["h", HOUR],
  ["m", MINUTE],
  ["s", 1_000],
] as const;

/** A length of time as files write it, in the largest unit that needs no fraction: `7d`, `10m`, `250ms`. */
export function durationText(ms: number): string {
  const unit = UNITS.find(([, size]) => ms >= size && ms % size === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}
