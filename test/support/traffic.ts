import type { Outcomes } from "../../src/core/judge/types.ts";
import { behaviourOf, outcomesOf } from "../../src/core/simulate/world.ts";

/** How one variant behaves: part of its requests that fail, and the median of its log-normal latency. */
export interface Behaviour {
  readonly failing: number;
  readonly medianMs: number;
}

/** Outcomes of so many requests, where nobody knows users. */
export function outcomes(random: () => number, requests: number, { failing, medianMs }: Behaviour): Outcomes {
  const { users: _, ...known } = outcomesOf(random, requests, behaviourOf(failing, medianMs));
  return known;
}
