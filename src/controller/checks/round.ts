import { grownVariant } from "../../contract/lanes.ts";
import type { LiveState } from "../../contract/live.ts";
import type { CountedCheck, WebhookCheck } from "../../contract/own-checks.ts";
import type { Rollout } from "../../contract/rollout.ts";
import type { GaugeSample } from "../../core/judge/gauge.ts";
import type { NamedGauge } from "../../core/judge/own-policy.ts";
import { everyonesVariant } from "../../core/plan/moves.ts";
import type { PrometheusSeries } from "../../io/prometheus-api.ts";
import { type CounterReading, valuesOf } from "./counter-readings.ts";
import { queriesOf, type SideQueries } from "./queries.ts";
import type { CheckSources } from "./sources.ts";
import { askWebhook, type WebhookAnswer } from "./webhook.ts";

/** What a round of questions is about. */
export interface Asked {
  readonly rollout: Rollout;
  readonly live: Pick<LiveState, "plan" | "shareBp">;
  /** Unix milliseconds: all queries of a round are about this moment. */
  readonly atMs: number;
  readonly signal: AbortSignal;
}

/** A value, or why there is none, for people. */
export type Read<Value> = Readonly<{ value: Value }> | Readonly<{ problem: string }>;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function read<Value>(ask: () => Promise<Value>): Promise<Read<Value>> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

type Answers = Readonly<{ stable: readonly PrometheusSeries[]; canary: readonly (readonly PrometheusSeries[])[] }>;

/** All four counters of a check. */
export const readCounters = ({ prometheus }: CountedCheck, asked: Asked, sources: CheckSources): Promise<Read<CounterReading>> =>
  read(async () => {
    const [hits, all] = await Promise.all(
      [prometheus.hits, prometheus.all].map((query) => answersTo(query, prometheus.url, asked, sources)),
    );
    return { atMs: asked.atMs, hits: valuesBySide(hits), all: valuesBySide(all) };
  });

const valuesBySide = (answers: Answers | undefined): CounterReading["hits"] => ({
  stable: valuesOf(answers?.stable ?? []),
  // Variants may answer with the same labels, and count apart all the same.
  canary: valuesOf(
    (answers?.canary ?? []).flatMap((series, index) => series.map((one) => ({ ...one, labels: { ...one.labels, "": String(index) } }))),
  ),
});

/** One value of a gauge for each side; the canary's is the mean of all that grow beside stable. */
export const readGauge = ({ source }: NamedGauge, asked: Asked, sources: CheckSources): Promise<Read<GaugeSample>> =>
  read(async () => {
    const { stable, canary } = await answersTo(source.prometheus, source.url, asked, sources);
    const values = canary.map((series) => oneValue(series, "the canary"));
    return {
      atMs: asked.atMs,
      stable: oneValue(stable, "stable"),
      canary: values.reduce((sum, value) => sum + value, 0) / values.length,
    };
  });

function oneValue(series: readonly PrometheusSeries[], side: string): number {
  const value = series[0]?.points.at(-1)?.[1];
  if (series.length !== 1 || value === undefined || !Number.isFinite(value))
    throw new Error(`the query gives ${series.length} series for ${side}; make it give one number, like avg(…)`);
  return value;
}

const grownIn = ({ live, rollout }: Pick<Asked, "live" | "rollout">): string => everyonesVariant(live.plan, grownVariant(rollout.variants));

async function answersTo(
  query: Parameters<typeof queriesOf>[0],
  url: string | undefined,
  asked: Asked,
  sources: CheckSources,
): Promise<Answers> {
  const api = await sources.prometheus(url, asked.signal);
  const { stable, canary }: SideQueries = queriesOf(query, { rollout: asked.rollout, run: asked.live.plan.run, grown: grownIn(asked) });
  const [first = [], ...others] = await Promise.all([...stable, ...canary].map((text) => api.instant(text, asked.atMs)));
  return { stable: first, canary: others };
}

/** A service's verdict; `unknown` with its reason where there is none. */
export async function readWebhook(
  { name, webhook }: Pick<WebhookCheck, "name" | "webhook">,
  asked: Asked,
  sources: CheckSources,
): Promise<WebhookAnswer> {
  const { rollout, live, atMs, signal } = asked;
  const key = webhook.secret === undefined ? { value: undefined } : await read(() => sources.secret(webhook.secret ?? ""));
  if ("problem" in key) return { verdict: "unknown", reason: key.problem };
  const variant = grownIn(asked);
  const question = { check: name, rollout: rollout.name, run: live.plan.run, variant, shareBp: live.shareBp, atMs };
  return askWebhook(question, { url: webhook.url, timeoutMs: webhook.timeout, key: key.value, signal });
}
