import { BUCKETS, bucketOf, murmur3Text } from "../../../src/core/decide/bucket.ts";
import { compile } from "../../../src/core/decide/compile.ts";
import { decide } from "../../../src/core/decide/decide.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { GROUP, type Peer, SHARE_PERCENT } from "./peers.ts";
import { type BenchRequest, factsOfBench, mixedRequests } from "./requests.ts";

/** The rule of the bench. The empty salt, which no file may have, hashes as the peers do: with the seed 0. */
export const benchRule = (salt: string) =>
  ruleOf(
    {
      match: { hosts: ["shop.example"], paths: [{ prefix: "/checkout" }] },
      salt,
      targets: [{ name: "testers", when: { header: { name: "x-beta", exact: "1" } }, variant: "canary" }],
    },
    { shareBp: SHARE_PERCENT * 100 },
  );

const rules = compile(ruleSetOf({ checkout: benchRule("") }));

/** flagd scales the hash of the key to its weights, as a threshold does: the key is the same. */
export const asFlagd = (user: string): string => user;

/** For each percent a key whose bucket lies there. */
const keyAt = Array.from({ length: 100 }, () => "");
for (let index = 0; keyAt.includes(""); index += 1) {
  const percent = Math.floor((bucketOf("", `key-${index}`) * 100) / BUCKETS);
  if (keyAt[percent] === "") keyAt[percent] = `key-${index}`;
}

/** Unleash takes the hash of `group:user` modulo 100, so ours is given a key that lies at that percent. */
export const asUnleash = (user: string): string => keyAt[murmur3Text(`${GROUP}:${user}`, 0) % 100] ?? "";

/** How many of so many requests ours and the peer decide alike; `keyOf` gives ours the place that the peer's hash gives a user. */
export function agreement<Context>(
  peer: Peer<Context>,
  count: number,
  keyOf: (user: string) => string,
): { alike: number; canary: number; count: number } {
  const isOurs = (request: BenchRequest): boolean =>
    decide(rules, factsOfBench({ ...request, user: keyOf(request.user) })).variant === "canary";
  const requests = mixedRequests(count);
  const alike = requests.filter((request) => isOurs(request) === peer.isCanary(peer.contextOf(request))).length;
  return { alike, canary: requests.filter(isOurs).length, count };
}
