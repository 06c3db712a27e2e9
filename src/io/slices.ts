import { setImmediate as nextTurn } from "node:timers/promises";

/** Longest work without a break, in milliseconds: a tenth of what Envoy waits for an answer, with room for one step too long. */
const SLICE_MS = 4;

/** Called between the steps of long work; waits for the event loop's next turn when the work began, or went on, some time ago. */
export type Slices = () => Promise<void>;

/** Slices of work that begins now. */
export function createSlices(): Slices {
  let sinceMs = performance.now();
  return async () => {
    if (performance.now() - sinceMs < SLICE_MS) return;
    await nextTurn();
    sinceMs = performance.now();
  };
}
