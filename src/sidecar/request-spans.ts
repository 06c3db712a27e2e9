import type { Attributes } from "@opentelemetry/api";
import type { CompiledRules } from "../core/decide/compile.ts";
import type { Decision, Reason, RequestFacts } from "../core/decide/types.ts";
import type { Clock } from "../io/clock.ts";
import type { SpanIds, TellSpan } from "../io/spans.ts";

/** W3C Trace Context, version 00 and what later ones keep of it; the last bit of the flags says sampled. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f][13579bdf](-|$)/;

/** Our reasons in the words of OpenTelemetry's conventions for feature flags. */
const REASONS: Readonly<Record<Reason, string>> = {
  share: "split",
  target: "targeting_match",
  cohort: "targeting_match",
  "no key": "default",
  "no rollout": "default",
  off: "disabled",
  unwatched: "stale",
};

/** The span of which a request is a part; undefined where it has none, or nobody records it. */
function parentOf(request: Pick<RequestFacts, "headers">): SpanIds | undefined {
  const [, traceId, spanId] = TRACEPARENT.exec(request.headers("traceparent")[0] ?? "") ?? [];
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}

/** A request that was decided. */
interface Decided {
  readonly decisions: readonly Decision[];
  readonly request: Pick<RequestFacts, "headers">;
  readonly rules: Pick<CompiledRules, "epoch" | "revision">;
}

/** Tells the trace of a request, where somebody records it, which variant it got of which rollout, and why. */
export function traceDecision({ decisions, request, rules }: Decided, { nowMs }: Pick<Clock, "nowMs">, tell: TellSpan): void {
  const parent = parentOf(request);
  if (parent === undefined) return;
  const flags = decisions.filter(({ rollout }) => rollout !== undefined).map((decision) => attributesOf(decision, rules));
  const [first] = flags;
  if (first === undefined) return;
  const atMs = nowMs();
  const events = flags.map((attributes) => ({ name: "feature_flag.evaluation", attributes }));
  tell({ name: "serin decide", startMs: atMs, endMs: atMs, attributes: first, parent, events });
}

const attributesOf = ({ rollout, variant, reason, run }: Decision, { epoch, revision }: Decided["rules"]): Attributes => ({
  "feature_flag.key": rollout,
  "feature_flag.result.variant": variant,
  "feature_flag.result.reason": REASONS[reason],
  "feature_flag.provider.name": "serin",
  "feature_flag.version": `${epoch}.${revision}`,
  "serin.run": run,
});
