import { type CurrentRules, hasRollout, isLive } from "./current-rules.ts";

/** Until the first message, and between two while a canary has users. */
export const LIVE_MS = 1_000;
export const IDLE_MS = 4_000;
const JITTER_MS = 1_000;

/** More time for each live rollout: a controller that leads a thousand of them hears of each as often as of one at rest. */
const LIVE_ROLLOUT_MS = 3;

/** Time between two messages of counts, in milliseconds, but for failures, which are told at once. */
export function tellingPauseMs(rules: CurrentRules): number {
  let live = 0;
  for (const rollout of rules.compiled().rollouts.values()) if (isLive(rollout)) live += 1;
  return live === 0 ? IDLE_MS : Math.min(IDLE_MS, LIVE_MS + LIVE_ROLLOUT_MS * (live - 1));
}

/** True while the users of any rollout are on its canary by share. */
export const isAnyLive = (rules: CurrentRules): boolean => hasRollout(rules.compiled(), isLive);

/** So that sidecars do not all tell at once. */
export const jittered = (pauseMs: number): number => pauseMs + JITTER_MS * Math.random();
