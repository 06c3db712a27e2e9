import { METADATA_NAMESPACE } from "../../contract/names.ts";
import type { CompiledRules } from "../../core/decide/compile.ts";
import type { Decision } from "../../core/decide/types.ts";
import type { HeaderOption, ProcessingRequest, ProcessingResponse, StructValue } from "./messages.ts";

const string = (value: string): StructValue => ({ stringValue: value });

/** Clusters in the order in which Envoy should try them, as names of priority groups: the variant's own first, stable as the way out. */
const groups = (clusters: readonly string[]): StructValue => ({
  listValue: { values: clusters.map((name) => ({ structValue: { fields: { name: string(name) } } })) },
});

/** The answer to request headers. `headerMutation` is always there: without it Envoy ignores `clearRouteCache`. */
export function decisionAnswer(decision: Decision, rules: CompiledRules): ProcessingResponse {
  const { variant, rollout, run, bucket, reason, control } = decision;
  const variants = rollout === undefined ? undefined : rules.rollouts.get(rollout)?.variants;
  const stable = variants?.stable.cluster ?? "stable";
  const cluster = variants?.[variant].cluster;
  const fields: Record<string, StructValue> = {
    variant: string(variant),
    revision: string(`${rules.epoch}.${rules.revision}`),
    reason: string(reason),
    priority_groups: groups(cluster === undefined || cluster === stable ? [stable] : [cluster, stable]),
  };
  if (rollout !== undefined) {
    fields["rollout"] = string(rollout);
    fields["run"] = string(String(run));
    fields["control"] = string(String(control));
  }
  if (cluster !== undefined) fields["cluster"] = string(cluster);
  if (bucket !== undefined) fields["bucket"] = { numberValue: bucket };
  return {
    requestHeaders: { response: { status: "CONTINUE", headerMutation: { setHeaders: tags(decision, rules) }, clearRouteCache: true } },
    dynamicMetadata: { fields: { [METADATA_NAMESPACE]: { structValue: { fields } } } },
  };
}

function tags({ rollout, variant }: Decision, rules: CompiledRules): HeaderOption[] {
  const found = rollout === undefined ? undefined : rules.rollouts.get(rollout)?.variants[variant].tags;
  return Object.entries(found ?? {}).map(([key, value]) => ({
    header: { key, rawValue: Buffer.from(value) },
    appendAction: "OVERWRITE_IF_EXISTS_OR_ADD",
  }));
}

const CONTINUE = { response: { status: "CONTINUE" } };

/** The answer to a message that is not about request headers: go on. Undefined for a kind that this version does not know. */
export function passAnswer({ request = "none" }: ProcessingRequest): ProcessingResponse | undefined {
  switch (request) {
    case "responseHeaders":
      return { responseHeaders: CONTINUE };
    case "requestBody":
      return { requestBody: CONTINUE };
    case "responseBody":
      return { responseBody: CONTINUE };
    case "requestTrailers":
      return { requestTrailers: {} };
    case "responseTrailers":
      return { responseTrailers: {} };
    case "requestHeaders":
      return { requestHeaders: { response: { status: "CONTINUE", headerMutation: { setHeaders: [] }, clearRouteCache: true } } };
    default:
      // A kind that a later Envoy may add, or none at all.
      return undefined;
  }
}
