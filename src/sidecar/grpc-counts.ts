/** Names of gRPC's status codes in their order (google/rpc/code.proto). */
const NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** A count for each status, and one for what is none. */
export const emptyGrpc = (): number[] => Array.from({ length: NAMES.length + 1 }, () => 0);

/** Counts one status; an upstream may write anything. */
export function countGrpc(counts: number[], status: number): void {
  const at = NAMES[status] === undefined ? NAMES.length : status;
  counts[at] = (counts[at] ?? 0) + 1;
}

/** The counts by name; none before the first. */
export const grpcCounts = (counts: readonly number[] | undefined): Record<string, number> =>
  counts === undefined ? {} : Object.fromEntries(counts.map((count, status) => [NAMES[status] ?? "other", count]));
