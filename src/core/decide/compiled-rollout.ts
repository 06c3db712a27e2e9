import { STABLE } from "../../contract/names.ts";
import type { LiveRule } from "../../contract/rules.ts";
import { type CompiledLane, compileLanes } from "./lanes.ts";
import type { CompiledStatics } from "./statics.ts";

/** One rollout, ready to decide with: nothing is parsed per request. */
export interface CompiledRollout extends Pick<CompiledStatics, "seed" | "listsUsers" | "keys" | "targets" | "variants"> {
  readonly name: string;
  readonly run: number;
  readonly off: boolean;
  /** This sidecar stopped it by itself, under this run; the rules do not say off. */
  readonly isStopped: boolean;
  /** From left to right, without a gap. */
  readonly lanes: readonly CompiledLane[];
  /** Where the share of the variant that the stages grow ends, 0…2³². */
  readonly threshold: number;
  /** What it was compiled from. */
  readonly statics: CompiledStatics;
  readonly live: LiveRule;
}

/** Puts a rollout's two parts together. */
export function compileRollout(name: string, statics: CompiledStatics, live: LiveRule): CompiledRollout {
  const lanes = compileLanes(statics.variants, live);
  return {
    name,
    run: live.run,
    off: live.off,
    isStopped: false,
    seed: statics.seed,
    listsUsers: statics.listsUsers,
    lanes,
    threshold: lanes[0]?.threshold ?? 0,
    keys: statics.keys,
    targets: live.sharesOnly === true ? statics.targets.filter(({ variant }) => variant === STABLE) : statics.targets,
    variants: statics.variants,
    statics,
    live,
  };
}

/** Whether two live rules mean the same. */
export const isSameLive = (a: LiveRule, b: LiveRule): boolean =>
  a.run === b.run &&
  a.shareBp === b.shareBp &&
  a.off === b.off &&
  a.whenUnwatched === b.whenUnwatched &&
  a.copies === b.copies &&
  isSameShares(a.shares, b.shares);

function isSameShares(a: LiveRule["shares"], b: LiveRule["shares"]): boolean {
  if (a === undefined || b === undefined) return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
