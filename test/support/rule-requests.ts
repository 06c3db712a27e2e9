import { readFileSync } from "node:fs";
import { join } from "node:path";
import { grownVariant } from "../../src/contract/lanes.ts";
import type { Rollout } from "../../src/contract/rollout.ts";
import type { LiveRule } from "../../src/contract/rules.ts";
import { bucketOf } from "../../src/core/decide/bucket.ts";
import { parseRollouts } from "../../src/io/documents.ts";
import { packageRoot } from "../../src/io/package-root.ts";

/** The rollouts of a file under docs/examples. */
export const exampleRollouts = (name: string): Rollout[] =>
  parseRollouts(readFileSync(join(packageRoot(), "docs", "examples", name), "utf8"), name);

/** A request to the rollouts of an example, what answers it, and which of our headers the upstream gets. */
export interface RuleRequest {
  readonly title: string;
  readonly example: string;
  readonly host: string;
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The cluster: stable, too, where no rollout routes. */
  readonly answeredBy: "stable" | "canary";
  readonly tags: Readonly<Record<string, string>>;
}

/** Shares of the examples in basis points, by rollout and variant. */
const SHARES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  checkout: { canary: 1_000 },
  ranking: { "ranking-a": 1_000, "ranking-b": 2_000 },
  "new-banner": { banner: 3_000 },
  cart: { canary: 2_500 },
  pay: { canary: 2_500 },
};

/** The live rule of an example's rollout. */
export function exampleLive({ name, variants }: Pick<Rollout, "name" | "variants">): LiveRule {
  const { [grownVariant(variants)]: shareBp = 0, ...shares } = SHARES[name] ?? {};
  const live = { run: 1, shareBp, off: false, whenUnwatched: "stable" } as const;
  return Object.keys(shares).length === 0 ? live : { ...live, shares };
}

/** A user whose bucket under a salt lies in this percent of all, 0…99. */
function userAt(salt: string, percent: number): string {
  for (let index = 0; ; index += 1) if (Math.floor((bucketOf(salt, `user-${index}`) / 2 ** 32) * 100) === percent) return `user-${index}`;
}

const checkout = (title: string, percent: number, tags: Readonly<Record<string, string>>, path = "/checkout"): RuleRequest => ({
  title,
  example: "checkout.yaml",
  host: "shop.example",
  path,
  headers: { "x-user-id": userAt("checkout", percent) },
  answeredBy: "x-serin-variant" in tags ? "canary" : "stable",
  tags,
});

const ranking = (title: string, percent: number, tag: string): RuleRequest => ({
  title,
  example: "variants-in-lanes.yaml",
  host: "search.example",
  headers: { "x-user-id": userAt("ranking", percent) },
  answeredBy: tag === "stable" ? "stable" : "canary",
  tags: { "x-serin-ranking": tag },
});

const banner = (title: string, headers: Readonly<Record<string, string>>, tag: string | undefined, host = "news.example"): RuleRequest => ({
  title,
  example: "toggle.yaml",
  host,
  headers,
  answeredBy: "stable",
  tags: tag === undefined ? {} : { "x-serin-banner": tag },
});

const grouped = (host: string, percent: number, answeredBy: "stable" | "canary"): RuleRequest => ({
  title: `${host}, a user at ${percent} %`,
  example: "group.yaml",
  host,
  headers: { "x-user-id": userAt("spring", percent) },
  answeredBy,
  tags: {},
});

/** What the examples say, one request each. */
export const RULE_REQUESTS: readonly RuleRequest[] = [
  checkout("the last user of the share", 9, { "x-serin-variant": "canary" }),
  checkout("beside the share", 10, {}),
  checkout("in the control slice", 90, {}),
  checkout("left of the control slice", 89, {}),
  checkout("on another path", 9, {}, "/"),
  ranking("the left end of the first lane", 0, "a"),
  ranking("the last user of the share there", 9, "a"),
  ranking("right of that share", 10, "stable"),
  ranking("the left end of the second lane", 40, "b"),
  ranking("the last user of the share there", 59, "b"),
  ranking("right of that share", 60, "stable"),
  ranking("in nobody's lane", 85, "stable"),
  banner("in the share", { "x-user-id": userAt("new-banner", 29) }, "on"),
  banner("beside the share", { "x-user-id": userAt("new-banner", 30) }, "off"),
  banner("a tester", { "x-user-id": userAt("new-banner", 99), "x-beta": "1" }, "on"),
  banner("a host below one", { "x-user-id": userAt("new-banner", 29) }, "on", "eu.news.example"),
  banner("another host", { "x-user-id": userAt("new-banner", 29) }, undefined, "banner.example"),
  grouped("cart.example", 24, "canary"),
  grouped("pay.example", 24, "canary"),
  grouped("cart.example", 25, "stable"),
  grouped("pay.example", 25, "stable"),
];
