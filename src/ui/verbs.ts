import type { Phase } from "../contract/live.ts";
import type { Role } from "../contract/roles.ts";

/** A verb of a rollout as the page offers it. */
export interface Verb {
  readonly id: "promote" | "promote --full" | "pause" | "resume" | "abort" | "retry" | "undo" | "handover";
  readonly label: string;
  readonly does: string;
}

export const VERBS: readonly Verb[] = [
  { id: "promote", label: "Promote", does: "Goes to the next step now." },
  { id: "promote --full", label: "Promote to 100 %", does: "Goes straight to everyone." },
  { id: "pause", label: "Pause", does: "Stays at this share; the canary is still judged." },
  { id: "resume", label: "Resume", does: "Goes on." },
  { id: "handover", label: "Hand over", does: "Says that stable's cluster runs the new version, so that the rule may rest." },
  { id: "retry", label: "Retry", does: "Tries the same plan again, with evidence anew." },
  { id: "undo", label: "Undo", does: "Goes back to the version before, at once." },
  { id: "abort", label: "Abort", does: "Sends everyone back to stable." },
];

const WHILE_IT_RUNS = ["promote", "promote --full", "pause", "abort", "undo"] as const;

/** What the plan takes in each phase: docs/operating.md. */
const OFFERED: Readonly<Record<Phase, readonly Verb["id"][]>> = {
  queued: ["abort", "undo"],
  pending: ["abort", "undo"],
  shadow: WHILE_IT_RUNS,
  stage: WHILE_IT_RUNS,
  ramp: WHILE_IT_RUNS,
  holdback: WHILE_IT_RUNS,
  preview: WHILE_IT_RUNS,
  trial: WHILE_IT_RUNS,
  decision: WHILE_IT_RUNS,
  on: WHILE_IT_RUNS,
  group: WHILE_IT_RUNS,
  gate: WHILE_IT_RUNS,
  paused: ["promote", "promote --full", "resume", "abort", "undo"],
  promoting: ["pause", "abort", "undo"],
  promoted: ["handover", "abort", "undo"],
  rollingBack: ["abort", "undo"],
  rolledBack: ["retry"],
  handedOver: ["undo"],
};

/** The verbs that make sense in a phase; the controller decides, and says why not. */
export const offered = (phase: Phase): readonly Verb[] => VERBS.filter(({ id }) => OFFERED[phase].includes(id));

/** Whether a role may say a verb in a phase. */
export function mayUse(role: Role, verb: Verb["id"], phase: Phase): boolean {
  if (role === "operate") return true;
  return role === "approve" && phase === "gate" && (verb === "promote" || verb === "abort");
}
