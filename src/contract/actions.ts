/** What stands in the audit as an action: what it means, and whether people are told of it where they name no events. */
export const ACTIONS = {
  apply: { meaning: "A plan was applied, and an attempt begins.", isTold: true },
  pending: { meaning: "The rules go out; nobody is on the canary.", isTold: false },
  stage: { meaning: "A stage begins.", isTold: true },
  ramp: { meaning: "A ramp sets another share.", isTold: false },
  holdback: { meaning: "Nearly everyone is on the canary, the rest is held back.", isTold: true },
  begun: { meaning: "Every known sidecar obeys the run.", isTold: false },
  paused: { meaning: "It waits for a person.", isTold: true },
  resumed: { meaning: "It goes on after a pause.", isTold: true },
  gate: { meaning: "It has earned its next step, and waits for an approver.", isTold: true },
  promoting: { meaning: "100 % goes out.", isTold: false },
  promoted: { meaning: "Every known sidecar serves 100 %; stable must stay up until hand-over.", isTold: true },
  overdue: { meaning: "Promoted for long, and not handed over.", isTold: true },
  handedOver: { meaning: "Stable runs the new version; the rule rests. An end.", isTold: true },
  rollback: { meaning: "Everyone goes back to stable.", isTold: true },
  rolledBack: { meaning: "Everyone is back on stable. An end.", isTold: true },
  segment: { meaning: "A segment that the rollout asks for has changed.", isTold: false },
  forget: { meaning: "A sidecar is waited for no more.", isTold: false },
  delete: { meaning: "The rollout was deleted after its end.", isTold: true },
} as const satisfies Readonly<Record<string, Readonly<{ meaning: string; isTold: boolean }>>>;

export type Action = keyof typeof ACTIONS;

const isAction = (text: string): text is Action => Object.hasOwn(ACTIONS, text);

/** All actions, in the order of a rollout's life. */
export const ACTION_NAMES: readonly Action[] = Object.keys(ACTIONS).filter(isAction);

/** What people are told of where they name no events. */
export const TOLD_ACTIONS: readonly Action[] = ACTION_NAMES.filter((name) => ACTIONS[name].isTold);
