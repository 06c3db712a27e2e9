/** Envoy's short names for response flags → those of its access log stream (stream_info/utility.h, `ResponseFlags` in accesslog.proto). */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["LH", "failedLocalHealthcheck"],
  ["UH", "noHealthyUpstream"],
  ["UT", "upstreamRequestTimeout"],
  ["LR", "localReset"],
  ["UR", "upstreamRemoteReset"],
  ["UF", "upstreamConnectionFailure"],
  ["UC", "upstreamConnectionTermination"],
  ["UO", "upstreamOverflow"],
  ["NR", "noRouteFound"],
  ["DI", "delayInjected"],
  ["FI", "faultInjected"],
  ["RL", "rateLimited"],
  ["RLSE", "rateLimitServiceError"],
  ["DC", "downstreamConnectionTermination"],
  ["URX", "upstreamRetryLimitExceeded"],
  ["SI", "streamIdleTimeout"],
  ["IH", "invalidEnvoyRequestHeaders"],
  ["DPE", "downstreamProtocolError"],
  ["UMSDR", "upstreamMaxStreamDurationReached"],
  ["RFCF", "responseFromCacheFilter"],
  ["NFCF", "noFilterConfigFound"],
  ["DT", "durationTimeout"],
  ["UPE", "upstreamProtocolError"],
  ["NC", "noClusterFound"],
  ["OM", "overloadManager"],
  ["DF", "dnsResolutionFailure"],
  ["DR", "downstreamRemoteReset"],
]);

const NONE: readonly string[] = [];

/** The flags of `%RESPONSE_FLAGS%`, which knows some more than the stream: those say nothing here either. */
export const flagsOf = (text: string): readonly string[] =>
  text === "-" ? NONE : text.split(",").flatMap((short) => NAMES.get(short) ?? []);
