import type { EntryFacts } from "../../src/sidecar/attribution.ts";

/** A decision for the canary of the rollout `checkout`. */
export const ON_CANARY = {
  variant: "canary",
  rollout: "checkout",
  run: 3,
  control: false,
  cluster: "canary",
  bucket: 7,
  isSession: false,
  also: [],
} as const;

/** An entry of the access log: the canary answered with 200. */
export const entry = (facts: Partial<EntryFacts> = {}): EntryFacts => ({
  decided: ON_CANARY,
  upstreamCluster: "canary",
  upstreamReached: true,
  isOddHost: undefined,
  attempts: 1,
  responseCode: 200,
  grpcStatus: undefined,
  flags: [],
  upstreamMs: 12,
  durationMs: 15,
  firstByteMs: 14,
  ...facts,
});
