import { z } from "zod";
import type { Policy, Tick } from "./policy.ts";
import { type Stage, World } from "./world.ts";

/** How one rollout went. Times in seconds of the rollout. */
export const RunSchema = z.strictObject({
  outcome: z.enum(["rollback", "promote", "timeout"]),
  endS: z.number(),
  /** Requests harmed; for a bad canary that was promoted, also those until the horizon. */
  harmed: z.number(),
  /** When half and when nine tenths of the traffic were on the canary first; null when they never were. */
  halfS: z.number().nullable(),
  fullS: z.number().nullable(),
  /** Ended before the canary's fault began, or just then. */
  isEarly: z.boolean(),
  why: z.string(),
});

export type Run = z.infer<typeof RunSchema>;

/** Makes the judge of one rollout. */
export type PolicyFactory = () => Policy;

const HALF = 0.5 - 1e-9;
const FULL = 0.9 - 1e-9;

/** Plays one seed of a scenario with each of the judges; all see the same world as long as they choose the same weights. */
export function playSeed(stage: Stage, seed: number, factories: readonly PolicyFactory[]): Run[] {
  const world = World.beforeHistory(stage, seed);
  const history = world.history();
  return factories.map((create) => play(stage, create(), { world: world.atStart(), history }));
}

function play(stage: Stage, policy: Policy, { world, history }: { readonly world: World; readonly history: readonly Tick[] }): Run {
  const { tickS, horizonTicks } = stage;
  let weight = policy.start({ tickS, bounds: stage.boundsMs, history });
  let harmed = 0;
  let halfS: number | null = null;
  let fullS: number | null = null;
  for (let index = 0; index < horizonTicks; index += 1) {
    const tick = world.next(weight);
    harmed += tick.truth.harmed;
    const step = policy.step(tick);
    const atS = tick.sec + tickS;
    if (step.action === "weight") {
      weight = step.weight;
      if (weight >= HALF) halfS ??= atS;
      if (weight >= FULL) fullS ??= atS;
    }
    if (step.action === "promote") fullS ??= atS;
    if (step.action === "rollback" || step.action === "promote") {
      return ended(stage, { outcome: step.action, endS: atS, harmed, halfS, fullS, why: step.why ?? "" });
    }
  }
  return ended(stage, { outcome: "timeout", endS: horizonTicks * tickS, harmed, halfS, fullS, why: "" });
}

function ended(stage: Stage, run: Omit<Run, "isEarly">): Run {
  const { truth, canary } = stage.scenario;
  const onsetS = canary.onset_s ?? 0;
  const isMissed = truth === "bad" && run.outcome === "promote";
  const later = isMissed ? World.harmPerS(stage) * Math.max(0, stage.horizonS - Math.max(run.endS, onsetS)) : 0;
  return { ...run, harmed: run.harmed + later, isEarly: run.endS <= onsetS };
}
