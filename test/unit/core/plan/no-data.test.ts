import { expect, test } from "vitest";
import type { PlanState } from "../../../../src/contract/live.ts";
import { NO_DATA_MS, silentSinceMs } from "../../../../src/core/plan/no-data.ts";
import { rampStates, SINCE_MS, states, strategyStates } from "../../../support/plan-inputs.ts";

const served = { run: 7, firstRun: 5, sinceMs: SINCE_MS };
const queued: PlanState = { phase: "queued", ...served, reason: "number 1" };
const all: readonly PlanState[] = [queued, ...Object.values({ ...states, ...rampStates, ...strategyStates })];
const WAITS: ReadonlySet<string> = new Set(["stage", "holdback", "trial", "group", "ramp"]);
const isBegun = (state: PlanState): boolean =>
  state.phase === "shadow" || (WAITS.has(state.phase) && "begunAtMs" in state && state.begunAtMs !== null);

test.each(all.map((state, index) => [`${state.phase}, ${index}`, state] as const))(
  "%s: silence counts where a share is served everywhere, and nowhere else",
  (_, state) => {
    const late = silentSinceMs(state, undefined, SINCE_MS + 2 * NO_DATA_MS);
    expect(late === undefined).toBe(!isBegun(state));
    expect(silentSinceMs(state, SINCE_MS + 2 * NO_DATA_MS, SINCE_MS + 2 * NO_DATA_MS)).toBeUndefined();
  },
);
