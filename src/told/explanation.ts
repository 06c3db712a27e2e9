import { ruleHere } from "../contract/groups.ts";
import type { ReadyRuleSet } from "../contract/rules.ts";
import { compile } from "../core/decide/compile.ts";
import { type Explanation, explain } from "../core/decide/explain.ts";
import { killsOf } from "../core/decide/kills.ts";
import type { ExplainStep, RequestFacts } from "../core/decide/types.ts";
import type { OperatorKeys } from "../io/kill-signatures.ts";
import { readOrders, type StoredOrders } from "../io/kill-store.ts";
import type { NatsLink } from "../io/nats.ts";
import { readRuleSet, readSegments } from "../io/rules-reader.ts";

/** Rules in force, with the orders beside them. */
export interface RulesInForce {
  readonly ruleSet: ReadyRuleSet;
  readonly orders: StoredOrders;
  /** Whether somebody checked who signed the orders. */
  readonly isChecked: boolean;
}

/** What NATS holds; undefined before any rules. Without keys nobody checks who signed the orders. */
export async function rulesInNats(link: NatsLink, keys?: OperatorKeys): Promise<RulesInForce | undefined> {
  const rules = await readRuleSet(link);
  if (rules === undefined) return undefined;
  const [segments, orders] = await Promise.all([readSegments(link, rules.segments), readOrders(link, keys)]);
  return { ruleSet: { ...rules.ruleSet, segments }, orders, isChecked: keys !== undefined };
}

/** Explains a request as a sidecar with these labels decides it; without any, groups of sidecars are told and not looked at. */
export function explanationOf(rules: RulesInForce, request: RequestFacts, labels?: Readonly<Record<string, string>>): Explanation {
  const { ruleSet, orders } = rules;
  const told = explain({ ...compile(asSeenBy(ruleSet, labels)), kills: killsOf(orders.inForce) }, request);
  return { ...told, steps: [...orderSteps(rules), ...told.steps] };
}

function asSeenBy(ruleSet: ReadyRuleSet, labels: Readonly<Record<string, string>> | undefined): ReadyRuleSet {
  if (labels === undefined) return ruleSet;
  const rollouts = Object.entries(ruleSet.rollouts).map(([name, each]) => [name, { ...each, live: ruleHere(each.live, labels) }] as const);
  return { ...ruleSet, rollouts: Object.fromEntries(rollouts) };
}

/** Which orders to switch off were looked at, where there are any. */
function orderSteps({ orders: { inForce, refused }, isChecked }: RulesInForce): ExplainStep[] {
  const steps: ExplainStep[] = [];
  const count = `${inForce.length} ${inForce.length === 1 ? "order" : "orders"} to switch off in force`;
  if (inForce.length > 0)
    steps.push({
      step: "orders",
      text: isChecked ? count : `${count}, taken as given: signatures were not checked; --operator-keys FILE checks them as sidecars do`,
    });
  for (const why of new Set(refused)) steps.push({ step: "orders", text: `an order to switch off counts for nothing: ${why}` });
  return steps;
}
