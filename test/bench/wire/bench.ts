import process from "node:process";
import { stopAll } from "../../../src/demo/stop-all.ts";

/** Ways to stop what a benchmark started; called in reverse, also when it fails or is interrupted. */
export type Stops = (() => unknown)[];

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs a benchmark that ends within the limit whatever its servers do, and leaves nothing running. */
export async function runBench(limitMs: number, bench: (stops: Stops) => Promise<void>): Promise<void> {
  const stops: Stops = [];
  // Each process that was started listens for the end of this one.
  process.setMaxListeners(64);
  let isGivenUp = false;
  const giveUp = (code: number, reason: string): void => {
    // A terminal's Ctrl-C comes twice, from the terminal and from tsx. Stopping is bounded, so a second one need not hurry it.
    if (isGivenUp) return;
    isGivenUp = true;
    note(reason);
    // What does not stop by itself is killed with this process.
    void stopAll(stops).finally(() => process.exit(code));
  };
  for (const signal of SIGNALS) process.on(signal, () => giveUp(130, `${signal}: stopping`));
  const timer = setTimeout(() => giveUp(1, `not done after ${limitMs / 1_000} s: stopping`), limitMs);
  try {
    await bench(stops);
  } catch (error) {
    process.exitCode = 1;
    if (!isGivenUp) note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    clearTimeout(timer);
    await stopAll(stops);
  }
}

/** Says how far a benchmark is; results go to stdout. */
export const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** The middle of some figures; NaN of none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The figure below which that part of them lies, between neighbours by straight line; NaN of none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = part * (sorted.length - 1);
  const [low = NaN, high = NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}
