import type { OutcomeClass } from "../contract/evidence.ts";
import { LATENCY_BOUNDS_MS, SHADOW, SHADOWED } from "../contract/names.ts";
import type { CompiledRules } from "../core/decide/compile.ts";
import type { CompiledRollout } from "../core/decide/compiled-rollout.ts";
import type { CellLabels } from "./cell.ts";
import type { Cells, ToldAnswers } from "./cells.ts";
import type { EnvoyGrowth, HistogramGrowth } from "./wire/envoy-counters.ts";

export interface ShadowPorts {
  rules(): CompiledRules;
  readonly cells: Pick<Cells, "told">;
  /** Unix milliseconds. */
  nowMs(): number;
  /** Something that should not happen did. */
  surprise(kind: string, error: unknown): void;
}

/** Answers of a shadow's cluster, or of the virtual cluster of that name, which counts the requests that it gets copies of. */
const STAT = /^(?:(cluster)|vhost\..+\.vcluster)\.(.+)\.upstream_rq_(2xx|3xx|4xx|5xx|time)$/s;

const CLASSES: Readonly<Record<string, OutcomeClass>> = { "2xx": "ok", "3xx": "ok", "4xx": "refused", "5xx": "failed" };

/** Envoy tells at most so late, by `stats_flush_interval` of envoy/envoy.yaml: what comes earlier may be of copies before this run. */
const FLUSH_MS = 5_000;

/** Counts what Envoys say of shadows for the rollouts whose shadows they are, under the run in force; the rest says nothing here. */
export function createShadowCounter(ports: ShadowPorts): (growth: EnvoyGrowth) => void {
  /** Rollout → its run, and when an Envoy told anything under it first. */
  const begun = new Map<string, { readonly run: number; readonly atMs: number }>();
  const isCounted = ({ name, run }: CompiledRollout): boolean => {
    const first = begun.get(name);
    if (first?.run === run) return ports.nowMs() - first.atMs > FLUSH_MS;
    begun.set(name, { run, atMs: ports.nowMs() });
    return false;
  };
  return ({ counters, histograms }) => {
    const shadows = shadowsOf(ports.rules());
    if (shadows.size === 0) return begun.clear();
    const counted = new Set([...shadows.values()].flat().filter(isCounted));
    const labels = (name: string): CellLabels | undefined => {
      const found = shadowIn(name, shadows, ports);
      return found !== undefined && counted.has(found.rollout) ? found.labels : undefined;
    };
    for (const [name, growth] of counters) {
      const of = growth > 0 ? labels(name) : undefined;
      const outcome = CLASSES[name.slice(-3)];
      if (of !== undefined && outcome !== undefined) ports.cells.told(of, { class: outcome, count: growth });
    }
    for (const histogram of histograms) {
      const of = labels(histogram.name);
      const told = of === undefined ? undefined : latencyOf(histogram, ports);
      if (of !== undefined && told !== undefined) ports.cells.told(of, told);
    }
  };
}

type Shadows = ReadonlyMap<string, readonly CompiledRollout[]>;

/** The rollout that a statistic is about, and under what it counts. */
function shadowIn(
  name: string,
  shadows: Shadows,
  { surprise }: ShadowPorts,
): { readonly rollout: CompiledRollout; readonly labels: CellLabels } | undefined {
  const [, isShadow, cluster] = STAT.exec(name) ?? [];
  if (cluster === undefined) return undefined;
  const [rollout, ...others] = shadows.get(cluster) ?? [];
  if (rollout === undefined) return undefined;
  if (others.length > 0) {
    surprise("two shadows in one cluster", `${[rollout, ...others].map((each) => each.name).join(", ")} in ${cluster}: neither is judged`);
    return undefined;
  }
  const variant = isShadow === undefined ? SHADOWED : SHADOW;
  return { rollout, labels: { rollout: rollout.name, variant, run: rollout.run, control: false } };
}

/** Of rules in force: sought once for each rule set, not for each of an Envoy's statistics. */
const SHADOWS = new WeakMap<CompiledRules, Shadows>();

/** Rollouts whose shadow alone gets the new version, by the cluster of the shadow. */
function shadowsOf(rules: CompiledRules): Shadows {
  const known = SHADOWS.get(rules);
  if (known !== undefined) return known;
  const found = new Map<string, CompiledRollout[]>();
  for (const rollout of rules.rollouts.values()) {
    const { live, off, statics } = rollout;
    if (live.copies !== "only" || off || statics.mirror === undefined) continue;
    const sharing = found.get(statics.mirror.cluster);
    if (sharing === undefined) found.set(statics.mirror.cluster, [rollout]);
    else sharing.push(rollout);
  }
  SHADOWS.set(rules, found);
  return found;
}

function latencyOf({ name, isDelta, sum, bounds, counts }: HistogramGrowth, { surprise }: ShadowPorts): ToldAnswers | undefined {
  const isOurs =
    isDelta &&
    counts.length === LATENCY_BOUNDS_MS.length + 1 &&
    bounds.length === LATENCY_BOUNDS_MS.length &&
    LATENCY_BOUNDS_MS.every((bound, index) => bound === bounds[index]);
  if (isOurs) return { latency: counts, sumMs: sum };
  surprise("times of a shadow by other bounds", `${name}: take stats_config and report_histograms_as_deltas from envoy/envoy.yaml`);
  return undefined;
}
