import { setTimeout as delay } from "node:timers/promises";

/** How long to wait, and what to call it when it does not come. */
export interface Wait {
  readonly deadlineMs: number;
  /** Ends the sentence "waited … ms for". */
  readonly what: string;
}

const PAUSE_MS = 15;

/**
 * Asks until the answer is neither undefined nor false, and returns it. A question that throws counts as "not yet",
 * because a server that is coming up refuses connections; the last such error is the cause of the one thrown at the deadline.
 */
export async function waitFor<Answer>(
  condition: () => Promise<Answer | undefined | false> | Answer | undefined | false,
  { deadlineMs, what }: Wait,
): Promise<Answer> {
  const endMs = performance.now() + deadlineMs;
  let cause: unknown;
  do {
    try {
      const answer = await condition();
      if (answer !== undefined && answer !== false) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await delay(PAUSE_MS);
  } while (performance.now() < endMs);
  const seen = cause instanceof Error ? `; last error: ${cause.message}` : "";
  throw new Error(`waited ${deadlineMs} ms for ${what}${seen}`, { cause });
}
