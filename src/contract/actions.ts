/** What stands in the audit as an action: in words of a message, what it means, and whether people are told of it where they name no events. */
export const ACTIONS = {
  apply: { words: "applied", meaning: "A plan was applied, and an attempt begins.", isTold: true },
  retry: { words: "tried again", meaning: "The same plan is tried again.", isTold: true },
  undo: { words: "undone", meaning: "The version before comes back at once.", isTold: true },
  waits: { words: "has a newer version waiting", meaning: "A newer version waits until this one has ended.", isTold: false },
  refused: { words: "newer version refused", meaning: "A newer version that waited was refused.", isTold: true },
  queued: { words: "queued", meaning: "It waits for its turn.", isTold: false },
  pending: { words: "pending", meaning: "The rules go out; nobody is on the canary.", isTold: false },
  preview: { words: "in preview", meaning: "Targets are on the new version, and nobody by share.", isTold: true },
  shadow: { words: "shadowed", meaning: "Copies of requests go to the new version, and nobody gets its answers.", isTold: true },
  stage: { words: "goes on", meaning: "A stage begins.", isTold: true },
  ramp: { words: "at another share", meaning: "A ramp sets another share.", isTold: false },
  group: { words: "next group", meaning: "The next group of sidecars gets the new version.", isTold: true },
  trial: { words: "on trial", meaning: "A test of variants begins.", isTold: true },
  report: { words: "tested", meaning: "What a test of variants shows; its detail is the whole report.", isTold: true },
  decision: { words: "waits for a decision", meaning: "A test is over, and waits for a person's decision.", isTold: true },
  on: { words: "on", meaning: "A toggle is on.", isTold: true },
  holdback: { words: "nearly at everyone", meaning: "Nearly everyone is on the canary, the rest is held back.", isTold: true },
  begun: { words: "obeyed by all", meaning: "Every known sidecar obeys the run.", isTold: false },
  held: { words: "held", meaning: "It would advance, and something holds it.", isTold: true },
  released: { words: "no longer held", meaning: "Nothing holds it any more.", isTold: false },
  would: { words: "would move", meaning: "What it would do, where its mode is to observe.", isTold: true },
  gate: { words: "waits at a gate", meaning: "It has earned its next step, and waits for an approver.", isTold: true },
  paused: { words: "paused", meaning: "It waits for a person.", isTold: true },
  resumed: { words: "resumed", meaning: "It goes on after a pause.", isTold: true },
  promoting: { words: "promoting", meaning: "100 % goes out.", isTold: false },
  promoted: { words: "promoted", meaning: "Every known sidecar serves 100 %; stable must stay up until hand-over.", isTold: true },
  overdue: { words: "overdue", meaning: "It is promoted, or a toggle on, for longer than it should be.", isTold: true },
  handedOver: { words: "handed over", meaning: "Stable runs the new version; the rule rests. An end.", isTold: true },
  reflex: {
    words: "stopped by a sidecar",
    meaning: "A sidecar saw the canary fail again and again, and stopped it by itself.",
    isTold: true,
  },
  confirmed: {
    words: "way back confirmed",
    meaning: "A sidecar that was not heard confirms the way back, or is gone for good.",
    isTold: false,
  },
  rollback: { words: "rolling back", meaning: "Everyone goes back to stable.", isTold: true },
  retreat: { words: "goes back further", meaning: "The next step of a way back in steps.", isTold: false },
  rolledBack: { words: "rolled back", meaning: "Everyone is back on stable. An end.", isTold: true },
  segment: { words: "segment changed", meaning: "A segment that the rollout asks for has changed.", isTold: false },
  forget: { words: "sidecar forgotten", meaning: "A sidecar is waited for no more.", isTold: false },
  delete: { words: "deleted", meaning: "The rollout was deleted after its end.", isTold: true },
  policy: { words: "policy changed", meaning: "Another policy is in force.", isTold: true },
  freeze: { words: "frozen", meaning: "Nothing advances in the whole mesh.", isTold: true },
  unfreeze: { words: "no longer frozen", meaning: "Rollouts may advance again.", isTold: true },
} as const satisfies Readonly<Record<string, Readonly<{ words: string; meaning: string; isTold: boolean }>>>;

export type Action = keyof typeof ACTIONS;

/** Whether a text is one of them. */
export const isAction = (text: string): text is Action => Object.hasOwn(ACTIONS, text);

/** All actions, in the order of a rollout's life. */
export const ACTION_NAMES: readonly Action[] = Object.keys(ACTIONS).filter(isAction);

/** What people are told of where they name no events. */
export const TOLD_ACTIONS: readonly Action[] = ACTION_NAMES.filter((name) => ACTIONS[name].isTold);
