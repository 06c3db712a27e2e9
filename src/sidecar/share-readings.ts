import { grownVariant } from "../contract/lanes.ts";
import { METRICS, STABLE } from "../contract/names.ts";
import type { CompiledRules } from "../core/decide/compile.ts";
import type { CompiledRollout } from "../core/decide/compiled-rollout.ts";
import { isAtHome } from "../core/decide/decide.ts";
import type { Reading } from "../io/metric-points.ts";
import type { Cells } from "./cells.ts";

const FULL_BP = 10_000;
const ROLLOUTS_A_PART = 100;

type Share = readonly [variant: string, share: number];

/** Shares set and seen, 0 to 1, of the rollouts that had requests; in parts that are made as they are asked for. */
export function* shareReadings(rules: () => CompiledRules, cells: Cells): Generator<Reading> {
  yield* inParts(METRICS.shareSet, rules, cells, sharesSet);
  yield* inParts(METRICS.shareSeen, rules, cells, (rollout) => sharesSeen(rollout, cells));
}

function* inParts(
  name: string,
  rules: () => CompiledRules,
  cells: Cells,
  sharesOf: (rollout: CompiledRollout, rules: CompiledRules) => readonly Share[],
): Generator<Reading> {
  let values: Reading["values"][number][] = [];
  let walked = 0;
  for (const each of cells.rollouts()) {
    walked += 1;
    const rollout = rules().rollouts.get(each);
    const shares = rollout === undefined ? [] : sharesOf(rollout, rules());
    values.push(...shares.map(([variant, value]) => ({ attributes: { rollout: each, variant }, value })));
    if (walked % ROLLOUTS_A_PART !== 0) continue;
    yield { name, values };
    values = [];
  }
  yield { name, values };
}

/** What the rules say, as far as it is in force here. */
function sharesSet(rollout: CompiledRollout, rules: CompiledRules): readonly Share[] {
  const { variants, off, live } = rollout;
  const isHome = off || isAtHome(rules, rollout);
  const others = new Map(Object.entries(live.shares ?? {}));
  others.set(grownVariant(variants), live.shareBp);
  const beside = Object.keys(variants)
    .filter((name) => name !== STABLE)
    .map((name): Share => [name, isHome ? 0 : (others.get(name) ?? 0) / FULL_BP]);
  return [[STABLE, 1 - beside.reduce((sum, [, share]) => sum + share, 0)], ...beside];
}

/** What requests met that a share decided, under the run in force; nothing without any. */
function sharesSeen({ name, run, variants }: CompiledRollout, cells: Cells): readonly Share[] {
  const counts = new Map(Object.keys(variants).map((variant) => [variant, 0]));
  let all = 0;
  for (const { labels, decisions } of cells.of(name)) {
    if (labels.run !== run) continue;
    all += decisions.share;
    counts.set(labels.variant, (counts.get(labels.variant) ?? 0) + decisions.share);
  }
  return all === 0 ? [] : [...counts].map(([variant, count]): Share => [variant, count / all]);
}
