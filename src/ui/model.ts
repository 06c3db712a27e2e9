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
  /** Names of those that were not told yet on this connection. */
  readonly unheard: ReadonlySet<string>;
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
  ...{ rollouts: new Map(), unheard: new Set(), audit: new Map(), series: new Map() },
};

const MOST_LINES = 200;

/** The model after an event; `nowMs` is this machine's time. */
export function withEvent(model: Model, event: StreamEvent, nowMs: number): Model {
  switch (event.type) {
    case "hello":
      // All comes anew. Until then what was known stands, so that nobody loses what they are about to say.
      return { ...model, you: event, mesh: undefined, unheard: new Set(model.rollouts.keys()) };
    case "mesh":
      return withMesh(model, event, nowMs);
    case "fleet":
      return { ...model, sidecars: event.sidecars };
    case "rollout":
      return withRollout(model, event);
    case "gone":
      return { ...model, rollouts: without(model.rollouts, new Set([event.name])) };
    case "audit":
      return withLines(model, event.line.rollout ?? "", [event.line]);
  }
}

/** Every rollout comes before the second good picture of the mesh; one that did not was deleted meanwhile. */
function withMesh(model: Model, mesh: Mesh, nowMs: number): Model {
  const isAllTold = model.mesh?.problem === null && mesh.problem === null;
  const kept = isAllTold ? { rollouts: without(model.rollouts, model.unheard), unheard: NOTHING.unheard } : {};
  return { ...model, ...kept, mesh, aheadMs: mesh.nowMs - nowMs };
}

const without = (rollouts: Model["rollouts"], names: ReadonlySet<string>): Model["rollouts"] =>
  new Map([...rollouts].filter(([name]) => !names.has(name)));

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
    unheard: new Set([...model.unheard].filter((each) => each !== name)),
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
