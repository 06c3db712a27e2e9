import type { Checks } from "../../contract/checks.ts";
import type { OwnCheckInFile } from "../../contract/own-checks.ts";
import type { GaugePolicy } from "./gauge.ts";
import type { OwnCheck } from "./types.ts";

/** The name of the gauge that stands in `checks.saturation`. */
export const SATURATION = "saturation";

/** Those of a rollout's own checks that are bet on: what is counted. */
export const ownChecksOf = ({ own = [] }: Pick<Checks, "own">): OwnCheck[] =>
  own.flatMap((check) => {
    if (!("prometheus" in check || "feedback" in check)) return [];
    const { name, harm, tolerated, weight } = check;
    return [{ name, harm, tolerated, weight }];
  });

/** A gauge of a rollout, with where its values come from. */
export interface NamedGauge {
  readonly name: string;
  readonly source: Extract<OwnCheckInFile, { gauge: unknown }>["gauge"];
  readonly policy: GaugePolicy;
}

/** The gauges of a rollout, saturation included. */
export function gaugesIn({ own = [], saturation }: Pick<Checks, "own" | "saturation">): NamedGauge[] {
  const named = own.flatMap((check): NamedGauge[] => {
    if (!("gauge" in check)) return [];
    const { name, gauge, harm, tolerated } = check;
    return [{ name, source: gauge, policy: { harm, tolerated: { relative: tolerated } } }];
  });
  if (saturation === undefined) return named;
  const { maxIncrease, ...source } = saturation;
  return [...named, { name: SATURATION, source, policy: { harm: "higher", tolerated: { absolute: maxIncrease } } }];
}
