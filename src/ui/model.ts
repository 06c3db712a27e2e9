import type { Audit } from "../contract/messages.ts";
import type { SeriesPoint, StreamEvent } from "../contract/stream.ts";
import { seriesPoint, withPoint } from "../told/series-point.ts";

type Of<Type extends StreamEvent["type"]> = Extract<StreamEvent, { type: Type }>;

export type Hello = Of<"hello">;
export type Mesh = Of<"mesh">;
export type RolloutEvent = Of<"rollout">;
export type Sidecar = Of<"fleet">["sidecars"][number];

/** Everything that the page knows. */
export interface Model {
  readonly you: Hello | undefined;
  readonly mesh: Mesh | undefined;
  readonly sidecars: readonly Sidecar[];
  readonly rollouts: ReadonlyMap<string, RolloutEvent>;
  /** By rollout, oldest first; "" for the whole mesh. */
  readonly audit: ReadonlyMap<string, readonly Audit[]>;
  readonly series: ReadonlyMap<string, readonly SeriesPoint[]>;
  /** The last change of a phase, to be read out. */
  readonly said: string;
  /** How far the controller's clock is ahead of this one, in milliseconds. */
  readonly aheadMs: number;
}

export const NOTHING: Model = {
  ...{ you: undefined, mesh: undefined, sidecars: [], said: "", aheadMs: 0 },
  ...{ rollouts: new Map(), audit: new Map(), series: new Map() },
};

const MOST_LINES = 200;

/** The model after an event; `nowMs` is this machine's time. */
export function withEvent(model: Model, event: StreamEvent, nowMs: number): Model {
  switch (event.type) {
    case "hello":
      // All comes anew, but for what was gathered.
      return { ...model, you: event, mesh: undefined, rollouts: new Map() };
    case "mesh":
      return { ...model, mesh: event, aheadMs: event.nowMs - nowMs };
    case "fleet":
      return { ...model, sidecars: event.sidecars };
    case "rollout":
      return withRollout(model, event);
    case "gone": {
      const rollouts = new Map(model.rollouts);
      rollouts.delete(event.name);
      return { ...model, rollouts };
    }
    case "audit":
      return withLines(model, event.line.rollout ?? "", [event.line]);
  }
}

function withRollout(model: Model, event: RolloutEvent): Model {
  const { name, judge, shareBp, plan } = event.rollout;
  const before = model.rollouts.get(name);
  const isOther = before !== undefined && before.rollout.plan.phase !== plan.phase;
  const isAnew = before !== undefined && before.rollout.plan.firstRun !== plan.firstRun;
  const points = isAnew ? [] : (model.series.get(name) ?? []);
  const verdict = judge?.verdict ?? null;
  const series = verdict === null ? points : withPoint(points, seriesPoint(verdict, { shareBp, shareSeenBp: judge?.shareSeenBp ?? null }));
  return {
    ...model,
    rollouts: new Map(model.rollouts).set(name, event),
    series: new Map(model.series).set(name, series),
    said: isOther ? `${name}: ${event.phase}` : model.said,
  };
}

/** With lines of the audit that may be known already. */
export function withLines(model: Model, of: string, lines: readonly Audit[]): Model {
  const known = [...(model.audit.get(of) ?? []), ...lines].map((line) => [line.id, line] as const);
  const all = [...new Map(known).values()].toSorted((a, b) => a.atMs - b.atMs);
  return { ...model, audit: new Map(model.audit).set(of, all.slice(-MOST_LINES)) };
}

/** With what the leader remembers from before the page was opened. */
export function withSeries(model: Model, of: string, points: readonly SeriesPoint[]): Model {
  const own = model.series.get(of) ?? [];
  const lastMs = points.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
  const joined = own.filter(({ atMs }) => atMs > lastMs).reduce((all, point) => withPoint(all, point), points);
  return { ...model, series: new Map(model.series).set(of, joined) };
}
