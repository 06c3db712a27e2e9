import type { LiveRule, RuleSet, StaticRules } from "../../src/contract/rules.ts";
import type { RequestFacts } from "../../src/core/decide/types.ts";

/** A request as test data: headers in order, names in lower case. */
export interface PlainRequest {
  readonly host?: string | undefined;
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  readonly headers?: readonly (readonly [string, string])[] | undefined;
  readonly clientAddress?: string | undefined;
  /** By the names that lead to it, with dots between. */
  readonly claims?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly isTrustedPeer?: boolean | undefined;
  /** Id in a cookie of ours. */
  readonly issued?: string | undefined;
}

/** A plain request as the facts that `decide` reads. */
export const factsOf = ({
  host = "shop.example",
  method = "GET",
  path = "/",
  headers = [],
  clientAddress,
  claims,
  isTrustedPeer = false,
  issued,
}: PlainRequest): RequestFacts => ({
  host,
  method,
  path,
  headers: (name) => headers.filter(([given]) => given === name).map(([, value]) => value),
  clientAddress,
  ...(claims === undefined ? {} : { claims: (path: readonly string[]) => claims[path.join(".")] ?? [] }),
  isTrustedPeer,
  ...(issued !== undefined && { issued: () => issued }),
});

/** A rollout of all requests at 50 %, keyed by `x-user-id`, where nothing else is said. */
export function ruleOf(rules: Partial<StaticRules> = {}, live: Partial<LiveRule> = {}): { rules: StaticRules; live: LiveRule } {
  return {
    rules: {
      match: { hosts: ["*"], paths: [{ prefix: "/" }] },
      key: [{ header: "x-user-id" }],
      salt: "checkout",
      variants: { stable: { cluster: "stable", tags: {} }, canary: { cluster: "canary", tags: {} } },
      targets: [],
      ...rules,
    },
    live: { run: 1, shareBp: 5_000, off: false, whenUnwatched: "stable", ...live },
  };
}

/** A rule set of these rollouts. */
export const ruleSetOf = (rollouts: RuleSet["rollouts"]): RuleSet => ({ format: 1, epoch: 1_700_000_000, revision: 7, rollouts });
