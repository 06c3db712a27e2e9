import type { KillSwitch } from "../io/kill-switch.ts";
import { orderOn } from "../told/order-text.ts";
import type { TermParts } from "./ports.ts";

/** What a time in office asks of operators' orders to switch off. */
export const killQuestions = (kills: Pick<KillSwitch, "inForce">): Required<Pick<TermParts, "killed" | "isUserOff">> => ({
  killed: (rollout) => orderOn(kills.inForce(), rollout),
  isUserOff: (rollout, user) => kills.inForce().some(({ scope }) => scope.rollout === rollout && scope.user === user),
});
