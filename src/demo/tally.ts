import type { SeenRequest } from "./traffic.ts";

/** A share as it came into force; times in Unix milliseconds. */
export interface ShareChange {
  readonly shareBp: number;
  /** When the leader issued it. */
  readonly issuedMs: number;
  /** When the last sidecar obeyed it; undefined while one does not. */
  readonly obeyedMs: number | undefined;
  readonly isRollback: boolean;
}

/** The plain second implementation of the bucketing. */
export type ExpectedVariant = (salt: string, key: string, shareBp: number) => "stable" | "canary";

export interface StageTally {
  readonly shareSet: number;
  /** Canary's part of the requests in this stage, in basis points; null without requests. */
  readonly shareSeen: number | null;
  readonly seconds: number;
  readonly requests: number;
}

export interface Tally {
  readonly requests: number;
  readonly failedRequests: number;
  /** Failed on the canary and answered by stable: their users saw no failure. */
  readonly rescued: number;
  readonly misrouted: number;
  readonly movedBack: number;
  readonly stages: readonly StageTally[];
}

/** Clocks tell whole milliseconds: a time may be this much earlier or later than it says. */
const CLOCK_MS = 1;

/**
 * Counts an act. A request may see any share that was in force somewhere in its lifetime; between the issue of a share and
 * the last sidecar's receipt both are in force, at all other times exactly one.
 */
export function tally(
  requests: readonly SeenRequest[],
  changes: readonly ShareChange[],
  { salt, expected }: { salt: string; expected: ExpectedVariant },
): Tally {
  const misrouted = requests.filter(
    (request) =>
      request.seen !== undefined &&
      !sharesIn(changes, request.startMs, request.endMs).some((shareBp) => expected(salt, request.user, shareBp) === decidedOf(request)),
  );
  const endOfGrowth = changes.find(({ isRollback }) => isRollback)?.issuedMs ?? Number.POSITIVE_INFINITY;
  return {
    requests: requests.length,
    failedRequests: requests.filter(({ status }) => status === 0 || status >= 500).length,
    rescued: requests.filter(({ rescued }) => rescued).length,
    misrouted: misrouted.length,
    movedBack: movedBack(requests.filter(({ endMs }) => endMs < endOfGrowth)),
    // A run at 0 % before the first stage serves nobody a canary: it is no stage.
    stages: changes.flatMap((change, index) =>
      index === 0 && change.shareBp === 0 ? [] : [stageTally(requests, change, changes[index + 1])],
    ),
  };
}

/** The variant that a request was sent to first, whoever answered; undefined when nobody did. */
export const decidedOf = ({ seen, rescued }: Pick<SeenRequest, "seen" | "rescued">): SeenRequest["seen"] => (rescued ? "canary" : seen);

/** Shares that were in force at some moment between start and end; 0 before the first. */
export function sharesIn(changes: readonly ShareChange[], startMs: number, endMs: number): number[] {
  const all = [{ shareBp: 0, issuedMs: Number.NEGATIVE_INFINITY, obeyedMs: undefined }, ...changes];
  return all
    .filter(({ issuedMs }, index) => {
      // In force until every sidecar obeys the next one; a sidecar that has not said so may still be at this one.
      const untilMs = all[index + 1]?.obeyedMs ?? Number.POSITIVE_INFINITY;
      return issuedMs - CLOCK_MS <= endMs && untilMs + CLOCK_MS >= startMs;
    })
    .map(({ shareBp }) => shareBp);
}

/** Users that were sent to canary and, in a request that began after that answer, to stable. */
function movedBack(requests: readonly SeenRequest[]): number {
  const firstCanaryEnd = new Map<string, number>();
  for (const request of requests) {
    const { user, endMs } = request;
    if (decidedOf(request) === "canary") firstCanaryEnd.set(user, Math.min(endMs, firstCanaryEnd.get(user) ?? Number.POSITIVE_INFINITY));
  }
  const back = requests.filter(
    (request) => decidedOf(request) === "stable" && request.startMs > (firstCanaryEnd.get(request.user) ?? Number.POSITIVE_INFINITY),
  );
  return new Set(back.map(({ user }) => user)).size;
}

/** What users saw between the moment that all obeyed a share and the issue of the next. */
function stageTally(requests: readonly SeenRequest[], change: ShareChange, next: ShareChange | undefined): StageTally {
  const fromMs = change.obeyedMs ?? Number.POSITIVE_INFINITY;
  const nextMs = next?.issuedMs ?? Number.POSITIVE_INFINITY;
  const inside = requests.filter(({ startMs, endMs, seen }) => seen !== undefined && startMs > fromMs && endMs < nextMs);
  const untilMs = next?.issuedMs ?? requests.at(-1)?.endMs ?? fromMs;
  const canary = inside.filter((request) => decidedOf(request) === "canary").length;
  return {
    shareSet: change.shareBp,
    shareSeen: inside.length === 0 ? null : Math.round((canary / inside.length) * 10_000),
    seconds: Number.isFinite(fromMs) ? Math.max(0, Math.round((untilMs - fromMs) / 100) / 10) : 0,
    requests: inside.length,
  };
}
