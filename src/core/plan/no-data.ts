import { type PlanState, servedPhase } from "../../contract/live.ts";

/** So long without any outcome of a canary that is served is too long. */
export const NO_DATA_MS = 600_000;

/** Since when nothing came of the canary, in Unix milliseconds, where that is too long; `canaryAtMs` is its last outcome. */
export function silentSinceMs(state: PlanState, canaryAtMs: number | undefined, nowMs: number): number | undefined {
  const servedMs = servedSinceMs(state);
  if (servedMs === null) return undefined;
  const sinceMs = Math.max(servedMs, canaryAtMs ?? 0);
  return nowMs - sinceMs >= NO_DATA_MS ? sinceMs : undefined;
}

/** Since when outcomes may be asked for; null before every sidecar serves the share, and where no share waits for them. */
function servedSinceMs(standing: PlanState): number | null {
  const state = servedPhase(standing);
  switch (state.phase) {
    case "stage":
    case "holdback":
    case "trial":
    case "group":
      return state.begunAtMs;
    case "shadow":
      return state.sinceMs;
    case "ramp":
      // Its runs are short: silence lasts over them.
      return state.begunAtMs === null ? null : state.sinceMs;
    case "queued":
    case "pending":
    case "preview":
    case "decision":
    case "on":
    case "paused":
    case "promoting":
    case "promoted":
    case "rollingBack":
    case "rolledBack":
    case "handedOver":
      return null;
  }
}
