import { hasShadow } from "../contract/course.ts";
import { UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { METRICS, SHADOW_VARIANTS } from "../contract/names.ts";
import type { Rollout } from "../contract/rollout.ts";
import { type Span, ticksOfCounters } from "../core/replay/counter-ticks.ts";
import { createPrometheusApi } from "../io/prometheus-api.ts";
import { counterQuery, countersOf } from "../io/prometheus-counters.ts";
import type { CliParts } from "./parts.ts";
import { replayTicks } from "./replay-ticks.ts";

/** A span of what Prometheus keeps; times in Unix milliseconds. */
export interface PrometheusFlags {
  readonly prometheus: string;
  readonly from?: number;
  readonly to?: number;
  readonly step?: number;
}

/** More points of a series than this no server gives in one answer. */
const MOST_STEPS = 11_000;
const ANSWER_MS = 60_000;
const STEP_MS = 5_000;

/** What Serin would have done in a span of time, by the counters that Prometheus scraped of sidecars then. */
export async function replayPrometheus(rollout: Rollout, flags: PrometheusFlags, parts: CliParts): Promise<ExitCode> {
  const span = spanOf(flags);
  const api = createPrometheusApi({ url: flags.prometheus, timeoutMs: ANSWER_MS });
  const [counted, seen] = await Promise.all([api.range(counterQuery(rollout.name), span), api.range(METRICS.ruleRevision, span)]);
  const present = new Map<string, Set<number>>();
  for (const { labels, points } of seen) {
    const { instance = "" } = labels;
    present.set(instance, new Set([...(present.get(instance) ?? []), ...points.map(([atMs]) => atMs)]));
  }
  const { start, ticks } = ticksOfCounters(ofUsers(rollout, countersOf(counted)), present, span);
  if (ticks.length === 0) {
    const what = counted.length === 0 ? `${flags.prometheus} has no counts of ${rollout.name}` : `nobody was on ${rollout.name}'s canary`;
    throw new UsageError(`${what} from ${iso(span.fromMs)} to ${iso(span.toMs)}; see whether it scraped the sidecars' --metrics then`);
  }
  const replay = replayTicks(rollout, start, parts);
  for (const tick of ticks) replay.take(tick, iso(tick.sec * 1_000));
  parts.error("counted by Prometheus: judged without failing users and without halves of stable\n");
  parts.error(replay.summary());
  return EXIT.done;
}

/** A shadow's answers met no user. */
const ofUsers = ({ strategy }: Rollout, counters: ReturnType<typeof countersOf>): ReturnType<typeof countersOf> =>
  counters.filter(({ labels }) => !hasShadow(strategy) || !SHADOW_VARIANTS.includes(labels["variant"] ?? ""));

const iso = (ms: number): string => new Date(ms).toISOString();

function spanOf({ from: fromMs, to: toMs, step: stepMs = STEP_MS }: PrometheusFlags): Span {
  if (fromMs === undefined || toMs === undefined)
    throw new UsageError("--prometheus needs a span of time; give --from and --to, like 2026-03-10T09:00:00Z");
  const steps = Math.floor((toMs - fromMs) / stepMs);
  if (steps < 1) throw new UsageError(`--from ${iso(fromMs)} is not a --step before --to ${iso(toMs)}; give a later --to`);
  if (steps >= MOST_STEPS) throw new UsageError(`${steps} steps are more than a server gives (${MOST_STEPS}); give a longer --step`);
  return { fromMs, toMs: fromMs + steps * stepMs, stepMs };
}
