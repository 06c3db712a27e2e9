import { setTimeout as delay } from "node:timers/promises";

/** Asks until there is an answer; fails by name after the deadline. */
export async function waitFor<Value>(
  what: string,
  ask: () => Promise<Value | undefined> | Value | undefined,
  deadlineMs = 15_000,
): Promise<Value> {
  const endMs = performance.now() + deadlineMs;
  while (performance.now() < endMs) {
    const value = await ask();
    if (value !== undefined) return value;
    await delay(10);
  }
  throw new Error(`${what}: not within ${deadlineMs} ms`);
}
