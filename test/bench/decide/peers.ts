/**
 * The same rule for flagd and Unleash, as their own libraries evaluate it, without a network: host, prefix of the path, one header
 * that goes first, and 25 % of the users. Both look a flag up by its name, where ours finds a rollout by host and path.
 */
import { FlagdCore } from "@openfeature/flagd-core";
import clientModule from "unleash-client/lib/client.js";
import { defaultStrategies } from "unleash-client/lib/strategy/index.js";
import type { BenchRequest } from "./requests.ts";

export const SHARE_PERCENT = 25;
const HOST = "shop.example";
const PREFIX = "/checkout/";
export const GROUP = "checkout";

/** One evaluator: its context of a request, and true for the canary. */
export interface Peer<Context> {
  readonly name: string;
  contextOf(request: BenchRequest): Context;
  isCanary(context: Context): boolean;
}

export function flagd(): Peer<{ targetingKey: string; host: string; path: string; beta: string }> {
  const core = new FlagdCore();
  const both = { and: [{ "==": [{ var: "host" }, HOST] }, { starts_with: [{ var: "path" }, PREFIX] }] };
  const fractional = { fractional: [{ var: "targetingKey" }, ["canary", SHARE_PERCENT], ["stable", 100 - SHARE_PERCENT]] };
  const targeting = { if: [both, { if: [{ "==": [{ var: "beta" }, "1"] }, "canary", fractional] }, "stable"] };
  const variants = { stable: "stable", canary: "canary" };
  core.setConfigurations(JSON.stringify({ flags: { [GROUP]: { state: "ENABLED", variants, defaultVariant: "stable", targeting } } }));
  return {
    name: "@openfeature/flagd-core",
    contextOf: ({ host, path, user, beta }) => ({ targetingKey: user, host, path, beta }),
    isCanary: (context) => core.resolveStringEvaluation(GROUP, "stable", context).value === "canary",
  };
}

export function unleash(): Peer<{ userId: string; properties: Record<string, string> }> {
  const asked = [
    { contextName: "host", operator: "IN", values: [HOST], inverted: false },
    { contextName: "path", operator: "STR_STARTS_WITH", values: [PREFIX], inverted: false },
  ];
  const beta = { contextName: "beta", operator: "IN", values: ["1"], inverted: false };
  const strategy = (rollout: string, constraints: object[]): object => ({
    name: "flexibleRollout",
    parameters: { rollout, stickiness: "userId", groupId: GROUP },
    constraints,
  });
  const feature = {
    name: GROUP,
    enabled: true,
    strategies: [strategy("100", [...asked, beta]), strategy(String(SHARE_PERCENT), asked)],
  };
  // Of a repository the evaluation asks for no more than this.
  const repository = { getToggle: () => feature, getSegment: () => undefined } as unknown as ConstructorParameters<
    typeof clientModule.default
  >[0];
  const client = new clientModule.default(repository, defaultStrategies);
  const fallback = (): boolean => false;
  return {
    name: "unleash-client",
    contextOf: ({ host, path, user, beta: value }) => ({ userId: user, properties: { host, path, beta: value } }),
    isCanary: (context) => client.isEnabled(GROUP, context, fallback),
  };
}
