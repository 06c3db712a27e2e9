import type { Policy } from "../policy.ts";

/** One-sided at 1 %. */
const Z = 2.326;
const LEAST_SAMPLE = 50;
const INTERVAL_S = 60;
const STEP = 0.05;
const HIGHEST = 0.5;

/** A warning: a z-test of fixed sample size on all counts so far, looked at every tick, on Flagger's schedule. */
export function naive(): Policy {
  let tickS = 0;
  let weight = STEP;
  const stable = { n: 0, errors: 0 };
  const canary = { n: 0, errors: 0 };
  return {
    start(context) {
      tickS = context.tickS;
      return weight;
    },
    step(tick) {
      stable.n += tick.stable.n;
      stable.errors += tick.stable.errors;
      canary.n += tick.canary.n;
      canary.errors += tick.canary.errors;
      if (canary.n >= LEAST_SAMPLE && stable.n > 0 && zOf(stable, canary) > Z) return { action: "rollback" };
      if ((tick.sec + tickS) % INTERVAL_S !== 0) return { action: "hold" };
      if (weight >= HIGHEST - 1e-9) return { action: "promote" };
      weight += STEP;
      return { action: "weight", weight };
    },
  };
}

type Errors = Readonly<Record<"n" | "errors", number>>;

function zOf(stable: Errors, canary: Errors): number {
  const pooled = (stable.errors + canary.errors) / (stable.n + canary.n);
  const variance = pooled * (1 - pooled) * (1 / stable.n + 1 / canary.n);
  return variance > 0 ? (canary.errors / canary.n - stable.errors / stable.n) / Math.sqrt(variance) : 0;
}
