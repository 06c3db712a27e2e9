/** Time as the shells see it: `nowMs` is Unix time and may jump, `monotonicMs` never goes back. */
export interface Clock {
  nowMs(): number;
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
