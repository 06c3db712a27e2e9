import type { OutcomeClass } from "../contract/evidence.ts";
import { STABLE, type VariantName } from "../contract/rollout.ts";
import type { CellLabels, Ended, Seen } from "./cell.ts";
import type { Also } from "./wire/also.ts";

/** A decision as it stands in Envoy's metadata. */
export interface Decided {
  readonly variant: VariantName;
  readonly rollout: string | undefined;
  readonly run: number;
  readonly control: boolean;
  /** Where the variant's requests should end up; undefined without a rollout. */
  readonly cluster: string | undefined;
  /** Bucket of the user, 32 bits; undefined without a key. */
  readonly bucket: number | undefined;
  /** The request asked for another protocol, as a WebSocket does. */
  readonly isSession: boolean;
  /** What was decided of rollouts that only set tags. */
  readonly also: readonly Also[];
}

/** What one access log entry says about a request. */
export interface EntryFacts {
  /** What the sidecar decided, given back by Envoy; undefined when Envoy failed open. */
  readonly decided: Decided | undefined;
  readonly upstreamCluster: string;
  /** An upstream host was chosen and connected to. */
  readonly upstreamReached: boolean;
  /** Parity of that host's address: hosts that differ by one lie in different halves. Undefined without a host. */
  readonly isOddHost: boolean | undefined;
  /** 0 when no upstream was tried. */
  readonly attempts: number;
  /** HTTP status that the client saw; 0 without one. */
  readonly responseCode: number;
  readonly grpcStatus: number | undefined;
  /** Names of Envoy's response flags that are set. */
  readonly flags: readonly string[];
  /** First byte sent to the upstream until its last byte received; leaves out the time for the decision. */
  readonly upstreamMs: number | undefined;
  readonly durationMs: number;
  /** First byte of the request until the first byte of the answer to the client. */
  readonly firstByteMs: number | undefined;
}

/** Whom an outcome belongs to, and how it counts. */
export type Attribution =
  | { readonly kind: "failed open" }
  /** Envoy answered before anything was decided, as when a filter before ours refuses a request. */
  | { readonly kind: "undecided" }
  | { readonly kind: "no rollout" }
  /** Canary was decided and another cluster answered at the first attempt: the canary's cluster is missing. */
  | (CellLabels & { readonly kind: "cluster missing"; readonly isSession: boolean })
  | (CellLabels & Ended & { readonly kind: "outcome" });

/**
 * gRPC codes that are the server's fault: unknown, deadline exceeded, unimplemented, internal, unavailable, data loss.
 * They are those whose HTTP status is 5xx (google/rpc/code.proto); "resource exhausted" is a 429, as a quota is.
 */
const GRPC_SERVER_FAULTS: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

/** Envoy's flags for a failed try at an upstream (access log proto, `ResponseFlags`). */
const UPSTREAM_FAULTS: ReadonlySet<string> = new Set([
  "noHealthyUpstream",
  "upstreamRequestTimeout",
  "upstreamRemoteReset",
  "upstreamConnectionFailure",
  "upstreamConnectionTermination",
  "upstreamOverflow",
  "upstreamRetryLimitExceeded",
  "upstreamMaxStreamDurationReached",
  "upstreamProtocolError",
  "dnsResolutionFailure",
  // The route of a decided variant leads nowhere.
  "noClusterFound",
]);

/** The client broke HTTP, in its request or on its connection: a malformed chunk, a frame that may not be. */
const CLIENT_BROKE = "downstreamProtocolError";

/** The client ended it: its connection ended, it reset the stream (HTTP/2 and gRPC clients that cancel), or it broke the protocol. */
const CLIENT_ENDED: ReadonlySet<string> = new Set(["downstreamConnectionTermination", "downstreamRemoteReset", CLIENT_BROKE]);

/**
 * A WebSocket that was opened has been answered. Whoever ends it, Envoy flags a broken connection: the client's, or the
 * upstream's, which RFC 6455 (7.1.1) wants to close first. So neither says anything, and the length of the session does not.
 */
const SWITCHED_PROTOCOLS = 101;

/** A client that leaves after this long was kept waiting: the wait counts as latency. */
const LONG_WAIT_MS = 1_000;

/**
 * Whom a request counts for. First attempts count on both sides: more than one attempt, or a final error, is a failure
 * of the variant tried first.
 */
export function attribute(entry: EntryFacts): Attribution {
  const { decided } = entry;
  if (decided === undefined) return { kind: wasTried(entry) ? "failed open" : "undecided" };
  const { rollout, variant, run, control, cluster, bucket, isSession } = decided;
  if (rollout === undefined) return { kind: "no rollout" };
  const labels = { rollout, variant, run, control };
  if (
    variant !== STABLE &&
    cluster !== undefined &&
    entry.attempts <= 1 &&
    wasTried(entry) &&
    entry.upstreamCluster !== "" &&
    entry.upstreamCluster !== cluster &&
    // Refused by `nobody`, who stands behind a canary without hosts: nothing answered, and the canary is to blame.
    !entry.flags.includes("upstreamConnectionFailure")
  ) {
    return { kind: "cluster missing", ...labels, isSession };
  }
  const outcome = classOf(entry);
  const { isOddHost } = entry;
  return { kind: "outcome", ...labels, class: outcome, latencyMs: latencyOf(entry, outcome), isSession, bucket, isOddHost };
}

/** The same request for each rollout that only set tags: whichever upstream answered, its tags were there. */
export function attributeToggles(entry: EntryFacts): readonly Attribution[] {
  const { decided } = entry;
  if (decided === undefined || decided.also.length === 0) return [];
  const { isSession } = decided;
  const { isOddHost } = entry;
  const outcome = classOf(entry);
  const latencyMs = latencyOf(entry, outcome);
  return decided.also.map((also) => ({ kind: "outcome", ...also, class: outcome, latencyMs, isSession, isOddHost }));
}

const upstreamFailed = ({ flags }: EntryFacts): boolean => flags.some((flag) => UPSTREAM_FAULTS.has(flag));

/** True when the request came as far as an upstream, or as to lack one. */
const wasTried = (entry: EntryFacts): boolean => entry.upstreamReached || entry.attempts > 0 || upstreamFailed(entry);

/** Envoy's own 4xx, as to a client that does not finish its request in time (408): nothing has come from the upstream. */
const isOwnRefusal = ({ responseCode, upstreamMs }: EntryFacts): boolean =>
  responseCode >= 400 && responseCode < 500 && upstreamMs === undefined;

/** What an access log tells; it has no class for 4xx. */
type EndedClass = Exclude<OutcomeClass, "refused">;

function classOf(entry: EntryFacts): EndedClass {
  const clientEnded = entry.flags.some((flag) => CLIENT_ENDED.has(flag));
  if (!wasTried(entry)) return clientEnded ? "aborted" : "local";
  if (entry.attempts > 1) return "failed";
  if (entry.responseCode === SWITCHED_PROTOCOLS) return "ok";
  const upstreamFault = upstreamFailed(entry);
  if (clientEnded && !upstreamFault) return "aborted";
  if (isOwnRefusal(entry) && !upstreamFault) return "local";
  // An answer that stops in the middle: the client has its 200, and no more.
  const isCut = entry.flags.includes("streamIdleTimeout") && entry.responseCode < 400;
  if (upstreamFault || isCut || entry.responseCode >= 500 || entry.responseCode === 0) return "failed";
  return entry.grpcStatus !== undefined && GRPC_SERVER_FAULTS.has(entry.grpcStatus) ? "failed" : "ok";
}

function latencyOf(entry: EntryFacts, outcome: EndedClass): number | undefined {
  switch (outcome) {
    case "ok":
      return entry.responseCode === SWITCHED_PROTOCOLS ? undefined : (entry.upstreamMs ?? entry.durationMs);
    case "failed":
      // A rescued request's time is two variants' time.
      return entry.attempts > 1 ? undefined : (entry.upstreamMs ?? entry.durationMs);
    case "aborted":
      return entry.durationMs >= LONG_WAIT_MS && !entry.flags.includes(CLIENT_BROKE) ? entry.durationMs : undefined;
    case "local":
      return undefined;
  }
}

/** What people want to know of an outcome besides. Times are of whole answers, which a session and a request that nobody waited for have not. */
export function seenOf(entry: EntryFacts, { class: outcome }: Pick<Ended, "class">): Seen {
  const { grpcStatus, responseCode, durationMs, firstByteMs } = entry;
  const isAnswered = (outcome === "ok" || outcome === "failed") && responseCode !== 0 && responseCode !== SWITCHED_PROTOCOLS;
  return {
    grpcStatus,
    isRescued: isRescued(entry),
    endToEndMs: isAnswered ? durationMs : undefined,
    firstByteMs: isAnswered ? firstByteMs : undefined,
  };
}

/** A second attempt, at another cluster than the decided one, that gave a good answer. */
const isRescued = ({ decided, attempts, upstreamReached, upstreamCluster, responseCode, grpcStatus = 0 }: EntryFacts): boolean =>
  attempts > 1 &&
  upstreamReached &&
  decided !== undefined &&
  upstreamCluster !== decided.cluster &&
  responseCode > 0 &&
  responseCode < 500 &&
  !GRPC_SERVER_FAULTS.has(grpcStatus);
