import { setImmediate, setTimeout } from "node:timers";

/** Longest work without a break, in milliseconds: with one step too long still far below the 10 ms that a change of rules may take. */
const SLICE_MS = 2;

/** Called between the steps of long work; waits for the event loop's next turn when the work began, or went on, some time ago. */
export type Slices = () => Promise<void>;

/** Slices of work that begins now. Works that share them take turns: all together get one slice in each turn of the loop. */
export const createSlices = (): Slices => slicesOf(inNextTurn);

/**
 * The same for work that nobody waits for: as much rest as work, at least. On a machine with too little to do it in, a process that
 * never rests is one that the kernel lets wait for its turn, and the requests with it.
 */
export const createEasySlices = (): Slices => slicesOf((turn) => void setTimeout(turn, SLICE_MS));

/** Immediates run in the turn whose message asked for them; those that they ask for, in the next. */
const inNextTurn = (work: () => void): void => void setImmediate(() => setImmediate(work));

/** Resolves in the event loop's next turn, in which other messages have been heard. */
export const nextTurn = (): Promise<void> => new Promise(inNextTurn);

function slicesOf(later: (turn: () => void) => void): Slices {
  let sinceMs = performance.now();
  const waiting: (() => void)[] = [];
  const turn = (): void => {
    sinceMs = performance.now();
    waiting.shift()?.();
    if (waiting.length > 0) later(turn);
  };
  return () =>
    new Promise((resolve) => {
      if (performance.now() - sinceMs < SLICE_MS) return resolve();
      if (waiting.push(resolve) === 1) later(turn);
    });
}

/** Work that stops between its steps, and begins in a turn of its own. */
export async function inSlices<Result>(steps: Generator<void, Result>): Promise<Result> {
  await nextTurn();
  const pause = createSlices();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await pause();
  }
}
