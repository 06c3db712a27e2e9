import type { PlanState } from "../../contract/live.ts";

/** How a state is called in a refusal; `stages` are those of its plan. */
export function standing(state: PlanState, stages: number): string {
  switch (state.phase) {
    case "stage":
      return `in stage ${state.stage + 1} of ${stages}`;
    case "ramp":
      return `in its ramp, at ${state.shareBp / 100}%`;
    case "group":
      return `in group ${state.group + 1} of ${state.groups.length}, ${state.groups[state.group]}`;
    case "queued":
    case "pending":
    case "gate":
    case "holdback":
    case "preview":
    case "shadow":
    case "trial":
    case "decision":
    case "on":
    case "paused":
    case "promoting":
    case "promoted":
    case "rollingBack":
    case "rolledBack":
    case "handedOver":
      return STANDING[state.phase];
  }
}

const STANDING = {
  queued: "queued",
  pending: "pending",
  gate: "at its gate",
  holdback: "in its holdback",
  preview: "in its preview",
  shadow: "a shadow",
  trial: "in its test",
  decision: "tested, and waits for a decision",
  on: "on",
  paused: "paused",
  promoting: "being promoted",
  promoted: "promoted",
  rollingBack: "being rolled back",
  rolledBack: "rolled back",
  handedOver: "handed over",
} as const;
