import { METADATA_NAMESPACE } from "../../contract/names.ts";
import { VariantNameSchema } from "../../contract/rollout.ts";
import { RunSchema } from "../../contract/rules.ts";
import type { EntryFacts } from "../attribution.ts";
import type { Duration, HttpAccessLogEntry, StructValue } from "./messages.ts";

const ms = (duration: Duration | undefined): number | undefined =>
  duration === undefined ? undefined : (duration.seconds ?? 0) * 1_000 + (duration.nanos ?? 0) / 1_000_000;

/** False for entries that Envoy may be told to write before a request's end, or for a single attempt. */
export const isFinal = ({ commonProperties }: HttpAccessLogEntry): boolean => {
  const type = commonProperties?.accessLogType;
  return type === undefined || type === "NotSet" || type === "DownstreamEnd";
};

/** What attribution reads of one access log entry. Throws on metadata that no sidecar writes. */
export function entryFacts(entry: HttpAccessLogEntry): EntryFacts {
  const common = entry.commonProperties ?? {};
  const fields = common.metadata?.filterMetadata?.[METADATA_NAMESPACE]?.fields;
  const sent = ms(common.timeToFirstUpstreamTxByte);
  const received = ms(common.timeToLastUpstreamRxByte);
  const grpcStatus = entry.response?.responseTrailers?.["grpc-status"] ?? entry.response?.responseHeaders?.["grpc-status"];
  return {
    decided: fields === undefined ? undefined : decided(fields),
    upstreamCluster: common.upstreamCluster ?? "",
    upstreamReached: common.upstreamRemoteAddress !== undefined && common.upstreamRemoteAddress !== null,
    attempts: common.upstreamRequestAttemptCount ?? 0,
    responseCode: entry.response?.responseCode?.value ?? 0,
    grpcStatus: grpcStatus === undefined || grpcStatus === "" ? undefined : Number(grpcStatus),
    flags: Object.entries(common.responseFlags ?? {}).flatMap(([name, set]) => (set === true ? [name] : [])),
    upstreamMs: sent === undefined || received === undefined ? undefined : Math.max(0, received - sent),
    durationMs: ms(common.duration) ?? 0,
  };
}

function decided(fields: Readonly<Record<string, StructValue>>): NonNullable<EntryFacts["decided"]> {
  const variant = VariantNameSchema.parse(fields["variant"]?.stringValue);
  const run = RunSchema.parse(Number(fields["run"]?.stringValue ?? 0));
  return {
    variant,
    rollout: fields["rollout"]?.stringValue,
    run,
    control: fields["control"]?.stringValue === "true",
    cluster: fields["cluster"]?.stringValue,
    bucket: fields["bucket"]?.numberValue,
  };
}
