import { LATENCY_BOUNDS_MS } from "../../src/contract/names.ts";
import type { Outcomes } from "../../src/core/judge/types.ts";
import { binomial } from "./random.ts";

/** How one variant behaves: part of its requests that fail, and the median of its log-normal latency. */
export interface Behaviour {
  readonly failing: number;
  readonly medianMs: number;
}

const SPREAD = 0.6;

/** Outcomes of so many requests. */
export function outcomes(random: () => number, requests: number, { failing, medianMs }: Behaviour): Outcomes {
  const latency: number[] = [];
  let left = requests;
  let below = 0;
  for (const boundMs of LATENCY_BOUNDS_MS) {
    const upTo = normalCdf(Math.log(boundMs / medianMs) / SPREAD);
    const here = binomial(random, left, below >= 1 ? 1 : Math.min(1, (upTo - below) / (1 - below)));
    latency.push(here);
    left -= here;
    below = upTo;
  }
  return { decided: requests, settled: requests, requests, failed: binomial(random, requests, failing), latency: [...latency, left] };
}

/** The normal distribution's share below `x` (Abramowitz and Stegun 26.2.17, error below 1e-7). */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.231_641_9 * Math.abs(x));
  const tail =
    (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  return x > 0 ? 1 - tail : tail;
}
