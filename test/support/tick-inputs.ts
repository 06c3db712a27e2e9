import { LATENCY_BOUNDS_MS } from "../../src/contract/names.ts";
import type { Tick, TickSide } from "../../src/contract/ticks.ts";

const REQUESTS = 1_000;
/** Bucket of 20 ms. */
const BUCKET = LATENCY_BOUNDS_MS.indexOf(20);

const sideOf = (n: number, failing: number): TickSide => ({
  n,
  errors: Math.round(n * failing),
  hist: Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, (_, bucket) => (bucket === BUCKET ? n : 0)),
});

/** A tick of 5 s and 1,000 requests, all of 20 ms; two in a thousand of stable's fail. */
export function tickOf(t: number, { weight = 0, canaryFails = 0.002 }: { weight?: number; canaryFails?: number }): Tick {
  const canary = Math.round(REQUESTS * weight);
  return { t, sec: t * 5, weight, stable: sideOf(REQUESTS - canary, 0.002), canary: sideOf(canary, canaryFails) };
}
