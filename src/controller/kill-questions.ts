import type { KillScope } from "../contract/kills.ts";
import type { KillSwitch } from "../io/kill-switch.ts";
import type { TermParts } from "./ports.ts";

/** What a time in office asks of operators' orders to switch off. */
export const killQuestions = (kills: Pick<KillSwitch, "inForce">): Required<Pick<TermParts, "killed" | "isUserOff">> => ({
  killed: (rollout) => kills.inForce().find(({ scope }) => isWhole(scope, rollout)),
  isUserOff: (rollout, user) => kills.inForce().some(({ scope }) => scope.rollout === rollout && scope.user === user),
});

/** An order that leaves no one on the rollout. */
const isWhole = ({ rollout, user, segment }: KillScope, name: string): boolean =>
  segment === undefined && user === undefined && (rollout === undefined || rollout === name);
