import { grownVariant, lanesOf } from "../../contract/lanes.ts";
import type { VariantName } from "../../contract/rollout.ts";
import type { LiveRule } from "../../contract/rules.ts";
import { BUCKETS, controlStart, thresholdOf } from "./bucket.ts";

/** One variant's stretch of the buckets: it ends where the next begins, and the share fills it from the left. */
export interface CompiledLane {
  readonly variant: VariantName;
  /** Buckets of the lane below this one are the variant's. */
  readonly threshold: number;
  /** From here to the end of the lane is control. */
  readonly controlFrom: number;
  readonly end: number;
}

const FULL_BP = 10_000;

/** Lanes with their shares, from left to right. */
export function compileLanes(variants: Parameters<typeof lanesOf>[0], { shareBp, shares = {} }: LiveRule): readonly CompiledLane[] {
  const grown = grownVariant(variants);
  // By a map, for which a variant named `constructor` is a name like any other.
  const others = new Map(Object.entries(shares));
  const shareOf = (name: VariantName): number => (name === grown ? shareBp : (others.get(name) ?? 0));
  const lanes = [...lanesOf(variants)];
  // 100 % of one variant alone is everybody, whatever its lane.
  const whole = lanes.find(([name]) => shareOf(name) === FULL_BP)?.[0];
  if (whole !== undefined) return [{ variant: whole, threshold: BUCKETS, controlFrom: BUCKETS, end: BUCKETS }];
  return lanes.map(([variant, { fromBp, widthBp }]) => {
    const [from, end] = [thresholdOf(fromBp), thresholdOf(fromBp + widthBp)];
    const threshold = thresholdOf(fromBp + shareOf(variant));
    return { variant, threshold, controlFrom: controlStart(threshold, from, end), end };
  });
}

/** The lane of a bucket; undefined right of them all, where everyone is on stable. */
export function laneAt(lanes: readonly CompiledLane[], bucket: number): CompiledLane | undefined {
  for (const lane of lanes) if (bucket < lane.end) return lane;
  return undefined;
}
