import { createCpuMeter } from "./machine.ts";

/** Requests a second: a low one to begin with, as cold programs need twice the time, then as many as the machine bears. */
export const PACE = { first: 100, least: 420, most: 600 } as const;

/** Busy above this, the machine is no fair judge of a deadline of 100 ms any more. */
const MOST_BUSY_PERCENT = 55;
const CALM_PERCENT = 45;
const LOOK_MS = 500;

/** Requests a second for the next half second; `busyPercent` is of all cores. */
export function nextPace(perSecond: number, busyPercent: number): number {
  // On a machine that others keep busy the demo would never end at the pace of its beginning.
  if (perSecond < PACE.least && busyPercent >= CALM_PERCENT) return Math.min(PACE.least, perSecond * 1.05);
  if (busyPercent > MOST_BUSY_PERCENT) return Math.max(PACE.least, perSecond * 0.85);
  return busyPercent < CALM_PERCENT ? Math.min(PACE.most, perSecond * 1.15) : perSecond;
}

export interface PaceKeeper {
  /** Share of all cores that has been busy since the start, 0…100. */
  busyPercent(): number;
  stop(): void;
}

/** Sends as many requests as the machine bears, whoever else is busy on it. */
export function keepPace(traffic: { pace(): number; setPace(perSecond: number): void }): PaceKeeper {
  const meter = createCpuMeter();
  const timer = setInterval(() => traffic.setPace(nextPace(traffic.pace(), meter.sinceLastMark())), LOOK_MS);
  return { busyPercent: () => meter.sinceStart(), stop: () => clearInterval(timer) };
}
