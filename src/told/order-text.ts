import type { KillOrder, KillScope } from "../contract/kills.ts";
import { duration } from "./format.ts";

/** What an order switches off. */
export function scopeText({ rollout, user, segment }: KillScope): string {
  const what = rollout ?? "all rollouts";
  if (segment !== undefined) return `${what}, users of segment ${segment}`;
  return user === undefined ? what : `${what}, one user`;
}

/** `by alice (wrong prices)`. */
const giverText = ({ who, reason }: KillOrder): string => `by ${who}${reason === undefined ? "" : ` (${reason})`}`;

/** An order in force, as a line for people. */
export const orderLine = (order: KillOrder, nowMs: number): string =>
  `switched off: ${scopeText(order.scope)}, ${giverText(order)}, for ${duration(nowMs - order.atMs)}`;

/** An order that switches everyone of a rollout off: the controller would roll it back as soon as it began. */
export const orderOn = (inForce: readonly KillOrder[], name: string): KillOrder | undefined =>
  inForce.find(({ scope }) => scope.user === undefined && scope.segment === undefined && (scope.rollout ?? name) === name);

/** Why what is switched off is not applied. */
export const switchedOffText = (order: KillOrder): string =>
  `switched off ${giverText(order)}; \`serin kill ${order.scope.rollout ?? "--all"} --lift\` first`;
