import type { PlanState } from "../../contract/live.ts";
import { goToGroup } from "./groups.ts";
import { goTo, goToShare, type In, move, nextRun, type Scene, serve, stay, type Taken } from "./moves.ts";
import { firstShareBp } from "./ramp.ts";
import type { PlanEvent } from "./types.ts";

type ReceiptsEvent = Extract<PlanEvent, { type: "receipts" }>;

const CONFIRMED = "every known sidecar confirmed the rules";

/** The first step after every known sidecar has the rules. */
export function begin(state: In<"pending">, { requestsPerSecond, groups = [] }: ReceiptsEvent, scene: Scene): Taken {
  const { nowMs } = scene;
  const { run, firstRun } = state;
  switch (scene.first) {
    case "stage":
    case "ramp":
      return goToFirstShare(state, CONFIRMED, scene, requestsPerSecond);
    case "preview":
      return move({ phase: "preview", run, firstRun, sinceMs: nowMs }, "preview", `targets alone lead to the new version: ${CONFIRMED}`);
    case "shadow":
      return move({ phase: "shadow", run, firstRun, sinceMs: nowMs }, "shadow", `the shadow gets copies: ${CONFIRMED}`);
    case "trial":
      return beginTrial(state, scene);
    case "on":
      return switchOn(state, scene);
    case "group": {
      const [first, ...others] = groups;
      // Nothing is served before somebody has the label; the deadline says so.
      if (first === undefined) return stay({ ...state, missing: [`a sidecar with the label ${scene.rolling.by}`] });
      return goToGroup(state, { groups: [first, ...others], group: 0 }, CONFIRMED, scene);
    }
  }
}

/** A toggle is on at once, by its share. */
export function switchOn(state: PlanState, { toggle: { share }, nowMs }: Scene, isAdvance = true): Taken {
  const next: PlanState = { phase: "on", ...nextRun(state, nowMs), begunAtMs: null, overdue: false };
  const audit = { action: "on", reason: `${share / 100}% by share: ${CONFIRMED}` };
  return serve(next, { shareBp: share, off: false, ...(isAdvance && { advances: true }) }, audit);
}

function beginTrial(state: PlanState, { trial: { shares }, grown, nowMs }: Scene): Taken {
  const next: PlanState = { phase: "trial", ...nextRun(state, nowMs), begunAtMs: null };
  const shareBp = Number(shares[grown]);
  const told = Object.entries(shares).map(([name, bp]) => `${bp / 100}% on ${name}`);
  return serve(next, { shareBp, off: false, advances: true }, { action: "trial", reason: `${told.join(", ")}: ${CONFIRMED}` });
}

/** The first users of a canary: of the first stage, or of a ramp. */
function goToFirstShare(state: PlanState, reason: string, scene: Scene, requestsPerSecond?: number): Taken {
  if (scene.ramp === undefined) return goTo(state, 0, reason, scene);
  return goToShare(state, { shareBp: firstShareBp(scene.ramp, requestsPerSecond), sinceMs: scene.nowMs }, reason, scene);
}

/** The same after a shadow: what its copies showed is no evidence of what users get, so that begins anew. */
export const goToCanary = (state: PlanState, reason: string, scene: Scene, requestsPerSecond?: number): Taken =>
  goToFirstShare({ ...state, firstRun: state.run + 1 }, reason, scene, requestsPerSecond);
