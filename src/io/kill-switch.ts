import { type KillOrder, scopeToken } from "../contract/kills.ts";
import { type HeardOrder, MAX_HEARD_ORDERS } from "../contract/messages.ts";
import { type OperatorKeys, orderId, verifiedKill } from "./kill-signatures.ts";
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
  /** Those that came last, each once, and whether they are obeyed; the same array until another comes. */
  heard(): readonly HeardOrder[];
}

/** Starts without an order. Without keys none is obeyed. */
export function createKillSwitch(keys: OperatorKeys, log: Logger): KillSwitch {
  const orders = new Map<string, { readonly order: KillOrder; readonly text: string }>();
  let refused = 0;
  let heard: readonly HeardOrder[] = [];
  const note = (data: Uint8Array, problem?: string): void => {
    const id = orderId(data);
    // An order comes again with each look into the store.
    if (heard.some((known) => known.id === id)) return;
    const order = { id, isObeyed: problem === undefined, ...(problem === undefined ? {} : { problem }) };
    heard = [...heard, order].slice(-MAX_HEARD_ORDERS);
  };
  const refuse = (data: Uint8Array, why: string): false => {
    refused += 1;
    note(data, why);
    log.error({ why }, "an order to switch off is refused");
    return false;
  };
  return {
    hear(data) {
      const order = verifiedKill(data, keys);
      if ("refused" in order) return refuse(data, order.refused);
      const { scope, atMs, who, reason, off } = order;
      const token = scopeToken(scope);
      const known = orders.get(token);
      const text = new TextDecoder().decode(data);
      if (known !== undefined && known.order.atMs >= atMs) {
        note(data, known.text === text ? undefined : "an order that was given later, by its sender's clock, is known for the same");
        return false;
      }
      if (known === undefined && orders.size >= MAX_ORDERS) return refuse(data, `${MAX_ORDERS} orders are known already`);
      orders.set(token, { order, text });
      note(data);
      log.warn({ scope, who, reason }, off ? "switched off by an operator" : "an operator lifted an order to switch off");
      return true;
    },
    inForce: () => [...orders.values()].flatMap(({ order }) => (order.off ? [order] : [])),
    kept: () => [...orders.values()].map(({ text }) => text),
    refused: () => refused,
    heard: () => heard,
  };
}
