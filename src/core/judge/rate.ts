import { RATE_MEMORY_MS } from "./parameters.ts";
import type { JudgeState } from "./state.ts";
import type { EvidenceBatch } from "./types.ts";

/** Requests per second of both sides lately; undefined before any time has passed. */
export const rateOf = ({ rate: { requests, ms } }: Pick<JudgeState, "rate">): number | undefined =>
  ms === 0 ? undefined : (1_000 * requests) / ms;

/** With one more batch. */
export function rateAfter(rate: JudgeState["rate"], { stable, canary }: EvidenceBatch, ms: number): JudgeState["rate"] {
  const left = Math.exp(-ms / RATE_MEMORY_MS);
  return { requests: rate.requests * left + stable.requests + canary.requests, ms: rate.ms * left + ms };
}
