import { variantsBeside } from "../../contract/lanes.ts";
import { LATENCY_BOUNDS_MS } from "../../contract/names.ts";
import { type Rollout, STABLE } from "../../contract/rollout.ts";
import type { Hits, VariantMeasure, VariantReport, VariantsTotals, VariantTotals } from "../../contract/variant-report.ts";
import type { VerdictRecord } from "../../contract/verdict.ts";
import { LEVEL, METHOD, newcombe } from "./difference.ts";

const NOTHING: VariantTotals = { decided: 0, settled: 0, requests: 0, failed: 0, latency: [], own: {} };

/** Parts of stable's requests that are slower than what counts as slow. */
const SLOW = [
  { name: "slow p90", part: 0.1 },
  { name: "slow p99", part: 0.01 },
] as const;

interface Measure {
  readonly name: string;
  readonly slowerThanMs?: number;
  readonly of: (totals: VariantTotals) => Hits;
}

/** What is known of a test, and whether it is over. */
export interface Tested {
  readonly rollout: Pick<Rollout, "variants" | "checks">;
  readonly variants: VariantsTotals;
  /** The judge's checks, for how far outcomes come in clumps. */
  readonly checks: VerdictRecord["checks"];
  readonly isFinal: boolean;
}

/** Each variant beside stable, by errors, slow requests and the rollout's own checks. */
export function variantReport({ rollout, variants, checks, isFinal }: Tested): VariantReport {
  const stable = variants[STABLE] ?? NOTHING;
  const names = variantsBeside(rollout.variants);
  const measures = [ERRORS, ...SLOW.flatMap(({ name, part }) => slowMeasure(name, part, stable)), ...ownMeasures(rollout)];
  return {
    level: LEVEL,
    isFinal,
    method: METHOD,
    measures: measures.map(({ name, slowerThanMs, of }) => {
      const dispersion = checks.find((check) => check.name === name)?.dispersion ?? 1;
      const its = of(stable);
      const compared = names.map((variant) => compare(variant, { its: of(variants[variant] ?? NOTHING), stable: its, dispersion }));
      const slow = slowerThanMs === undefined ? {} : { slowerThanMs };
      return { name, ...slow, dispersion, stable: { ...its, ratio: ratioOf(its) }, variants: compared };
    }),
  };
}

const ERRORS: Measure = { name: "errors", of: ({ failed, requests }) => ({ hits: failed, all: requests }) };

/** From the lowest bound that at most this part of stable's requests is beyond; none where nothing of stable is that fast. */
function slowMeasure(name: string, part: number, { latency }: VariantTotals): Measure[] {
  const all = sum(latency);
  const from = LATENCY_BOUNDS_MS.findIndex((_, index) => all > 0 && sum(latency.slice(index + 1)) <= part * all);
  const slowerThanMs = LATENCY_BOUNDS_MS[from];
  if (slowerThanMs === undefined) return [];
  return [{ name, slowerThanMs, of: (totals) => ({ hits: sum(totals.latency.slice(from + 1)), all: sum(totals.latency) }) }];
}

/** Feedback is counted of the requests decided, as the judge does it. */
const ownMeasures = ({ checks }: Pick<Rollout, "checks">): Measure[] =>
  (checks.own ?? []).flatMap((check) => {
    const { name } = check;
    if ("prometheus" in check) return [{ name, of: ({ own }: VariantTotals) => own[name] ?? { hits: 0, all: 0 } }];
    if (!("feedback" in check)) return [];
    return [{ name, of: ({ own, decided }: VariantTotals) => ({ hits: Math.min(decided, own[name]?.hits ?? 0), all: decided }) }];
  });

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

const ratioOf = ({ hits, all }: Hits): number | null => (all === 0 ? null : hits / all);

function compare(variant: string, { its, stable, dispersion }: { its: Hits; stable: Hits; dispersion: number }): VariantMeasure {
  const ratio = ratioOf(its);
  if (ratio === null || stable.all === 0) return { variant, ...its, ratio, difference: null, lower: null, upper: null, shows: "nothing" };
  const [lower, upper] = newcombe(clumped(its, dispersion), clumped(stable, dispersion));
  const shows = lower > 0 ? "higher" : upper < 0 ? "lower" : "nothing";
  return { variant, ...its, ratio, difference: ratio - stable.hits / stable.all, lower, upper, shows };
}

const clumped = ({ hits, all }: Hits, dispersion: number): Hits => ({ hits: hits / dispersion, all: all / dispersion });
