import * as demo from "../../../src/demo/wait-for.ts";

/** Asks until there is an answer; fails by name after the deadline. */
export const waitFor = <Value>(
  what: string,
  ask: () => Promise<Value | undefined> | Value | undefined,
  deadlineMs = 30_000,
): Promise<Value> => demo.waitFor(ask, { deadlineMs, what });
