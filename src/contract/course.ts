import { type Ramp, rampOfWords } from "./ramp.ts";
import { PRESETS, type Stage } from "./stages.ts";
import type { AbTest, BlueGreen, Rolling, Shadow, Strategy, Toggle } from "./strategy.ts";

/** What a strategy asks of the plan, written out: what it does not have stands at a value that does nothing. */
export interface Course {
  /** The step that follows when every known sidecar has the rules. */
  readonly first: "stage" | "ramp" | "preview" | "trial" | "on" | "group" | "shadow";
  readonly stages: readonly Stage[];
  /** Instead of stages. */
  readonly ramp: Ramp | undefined;
  readonly preview: BlueGreen["preview"];
  /** How long stable is kept up after promotion, in milliseconds; undefined: as long as the deadline of every promotion. */
  readonly keepWarmMs: number | undefined;
  readonly trial: Pick<AbTest, "shares" | "time" | "atEnd">;
  readonly toggle: Pick<Toggle, "share" | "staleAfter">;
  readonly rolling: Omit<Rolling, "type">;
  readonly shadow: Shadow;
}

const NOTHING: Course = {
  first: "stage",
  stages: [],
  ramp: undefined,
  preview: { promote: "byHand" },
  keepWarmMs: undefined,
  trial: { shares: {}, time: 0, atEnd: "wait" },
  toggle: { share: 0, staleAfter: 0 },
  rolling: { by: "", share: 0, minTime: 0, minSample: 1, onUnhealthy: "rollback" },
  shadow: { minTime: 0, minSample: 1 },
};

/** The course of a strategy. */
export function courseOf(strategy: Strategy): Course {
  const written = { ...NOTHING, stages: stagesOf(strategy), ramp: rampOf(strategy) };
  if ("use" in strategy) return written;
  switch (strategy.type) {
    case "canary":
      return { ...written, first: "ramp" in strategy ? "ramp" : "stage" };
    case "blueGreen":
      return { ...written, first: "preview", preview: strategy.preview, keepWarmMs: strategy.keepWarm };
    case "abTest":
      return { ...written, first: "trial", trial: strategy };
    case "toggle":
      return { ...written, first: "on", toggle: strategy };
    case "rolling":
      return { ...written, first: "group", rolling: strategy };
    case "mirror":
      return { ...written, first: "shadow", shadow: strategy.shadow };
  }
}

const isPreset = (name: string): name is keyof typeof PRESETS => Object.hasOwn(PRESETS, name);

/** The name of the template that a strategy uses; undefined where it is written out, or a preset. */
export const templateOf = (strategy: Strategy): string | undefined =>
  "use" in strategy && !isPreset(strategy.use) ? strategy.use : undefined;

/** The stages that a strategy means; none of one without. A template that was not looked up is as careful as can be. */
export function stagesOf(strategy: Strategy): readonly Stage[] {
  if ("use" in strategy) return PRESETS[isPreset(strategy.use) ? strategy.use : "careful"];
  return "stages" in strategy ? strategy.stages : [];
}

/** The ramp that a strategy means; undefined where it has none. */
export const rampOf = (strategy: Strategy): Ramp | undefined => ("ramp" in strategy ? rampOfWords(strategy.ramp) : undefined);

/** Whether a rollout begins with a shadow. */
export const hasShadow = (strategy: Strategy): boolean => courseOf(strategy).first === "shadow";
