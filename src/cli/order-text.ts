import type { KillOrder, KillScope } from "../contract/kills.ts";
import { duration } from "../told/format.ts";

/** What an order switches off. */
export function scopeText({ rollout, user, segment }: KillScope): string {
  const what = rollout ?? "all rollouts";
  if (segment !== undefined) return `${what}, users of segment ${segment}`;
  return user === undefined ? what : `${what}, one user`;
}

/** `by alice (wrong prices)`. */
export const giverText = ({ who, reason }: KillOrder): string => `by ${who}${reason === undefined ? "" : ` (${reason})`}`;

/** An order in force, as a line for people. */
export const orderLine = (order: KillOrder, nowMs: number): string =>
  `switched off: ${scopeText(order.scope)}, ${giverText(order)}, for ${duration(nowMs - order.atMs)}`;
