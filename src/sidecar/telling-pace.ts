import { type CurrentRules, hasRollout, isLive } from "./current-rules.ts";

/** Until the first message, and between two while a canary has users. */
export const LIVE_MS = 1_000;
export const IDLE_MS = 4_000;
const JITTER_MS = 1_000;

/** True while the users of any rollout are on its canary by share. */
export const isAnyLive = (rules: CurrentRules): boolean => hasRollout(rules.compiled(), isLive);

/** So that sidecars do not all tell at once. */
export const jittered = (pauseMs: number): number => pauseMs + JITTER_MS * Math.random();
