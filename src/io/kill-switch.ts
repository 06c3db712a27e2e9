import { type KillOrder, scopeToken } from "../contract/kills.ts";
import { type OperatorKeys, verifiedKill } from "./kill-signatures.ts";
import type { Logger } from "./log.ts";

/** Orders that are known, at most; each is a small record. */
const MAX_ORDERS = 10_000;

/** Operators' orders, of each scope the last. */
export interface KillSwitch {
  /** Takes a signed order in; false when it changes nothing. A refused one is counted and said. */
  hear(data: Uint8Array): boolean;
  /** Those that switch off. */
  inForce(): readonly KillOrder[];
  /** All known ones as they came, to be kept. */
  kept(): readonly string[];
  refused(): number;
}

/** Starts without an order. Without keys none is obeyed. */
export function createKillSwitch(keys: OperatorKeys, log: Logger): KillSwitch {
  const orders = new Map<string, { readonly order: KillOrder; readonly text: string }>();
  let refused = 0;
  const refuse = (why: string): false => {
    refused += 1;
    log.error({ why }, "an order to switch off is refused");
    return false;
  };
  return {
    hear(data) {
      const order = verifiedKill(data, keys);
      if ("refused" in order) return refuse(order.refused);
      const { scope, atMs, who, reason, off } = order;
      const token = scopeToken(scope);
      const known = orders.get(token)?.order;
      if (known !== undefined && known.atMs >= atMs) return false;
      if (known === undefined && orders.size >= MAX_ORDERS) return refuse(`${MAX_ORDERS} orders are known already`);
      orders.set(token, { order, text: new TextDecoder().decode(data) });
      log.warn({ scope, who, reason }, off ? "switched off by an operator" : "an operator lifted an order to switch off");
      return true;
    },
    inForce: () => [...orders.values()].flatMap(({ order }) => (order.off ? [order] : [])),
    kept: () => [...orders.values()].map(({ text }) => text),
    refused: () => refused,
  };
}
