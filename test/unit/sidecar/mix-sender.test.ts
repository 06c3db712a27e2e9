import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MixMessageSchema } from "../../../src/contract/mix-evidence.ts";
import { decide } from "../../../src/core/decide/decide.ts";
import { keyHash } from "../../../src/core/judge/key-sketch.ts";
import { readSample } from "../../../src/core/judge/user-sample.ts";
import { createLog } from "../../../src/io/log.ts";
import type { PartsSender } from "../../../src/sidecar/changed-parts.ts";
import { type CurrentRules, createCurrentRules } from "../../../src/sidecar/current-rules.ts";
import { startMixSender } from "../../../src/sidecar/mix-sender.ts";
import { createMixUsers, type MixUsers } from "../../../src/sidecar/mix-users.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { createFakeLink, type FakeLink } from "../../support/fake-link.ts";
import { COUNTRIES, markOf } from "../../support/mix-inputs.ts";

let fake: FakeLink;
let mix: MixUsers;
let rules: CurrentRules;
let sender: PartsSender;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  fake = createFakeLink();
  rules = createCurrentRules(Date.now);
  const rollout = ruleOf({
    mix: COUNTRIES,
    targets: [{ name: "staff", variant: "canary", when: { header: { name: "x-staff", present: true } } }],
  });
  rules.offer(ruleSetOf({ cart: rollout, shop: rollout }));
  mix = createMixUsers({ onOverflow: () => undefined });
  const log = createLog({ name: "test", level: "silent" });
  sender = startMixSender({ id: "s1", link: fake.link, rules, mix, log, slices: () => Promise.resolve() });
});
afterEach(async () => {
  await sender.stop();
  vi.useRealTimers();
});

function ask(host: "cart" | "shop", user: string): number {
  const compiled = rules.compiled();
  const request = factsOf({
    headers: [
      ["x-user-id", user],
      ["x-country", "SE"],
      ["x-staff", "1"],
    ],
  });
  const decision = { ...decide(compiled, request), rollout: host };
  mix.decided(decision, compiled, request);
  return decision.bucket ?? -1;
}
const messages = () => fake.published.map(({ text }) => MixMessageSchema.parse(JSON.parse(text)));
const rolloutsIn = (index: number) => messages()[index]?.groups.map(({ rollout }) => rollout);

test("the mix is told with all that names a group, each whole", async () => {
  const buckets = ["ann", "bob"].map((user) => ask("cart", user));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.published.map(({ subject }) => subject)).toEqual(["serin.mix.s1"]);
  const [group] = messages()[0]?.groups ?? [];
  expect(group).toMatchObject({ rollout: "cart", run: 1, variant: "canary", by: "target", target: "staff" });
  const marks = buckets.map((bucket) => [keyHash(bucket), markOf("SE")] as const).toSorted(([a], [b]) => a - b);
  expect(group && [...readSample(group.users).users]).toEqual(marks);
});

test("only groups that changed are told, four to five seconds apart, and all of them to a new leader", async () => {
  ask("cart", "ann");
  ask("shop", "ann");
  await vi.advanceTimersByTimeAsync(1_000);
  ask("shop", "bob");
  await vi.advanceTimersByTimeAsync(3_900);
  expect(fake.published).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1_100);
  expect([rolloutsIn(0), rolloutsIn(1)]).toEqual([["cart", "shop"], ["shop"]]);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(fake.published).toHaveLength(2);
  sender.resend();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(rolloutsIn(2)).toEqual(["cart", "shop"]);
});

test("what is left is told at the stop", async () => {
  ask("cart", "ann");
  await sender.stop();
  expect(rolloutsIn(0)).toEqual(["cart"]);
});

test("many users of many rollouts go in messages that NATS takes", async () => {
  rules.replace(ruleSetOf(Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`r${index}`, ruleOf({ mix: COUNTRIES })]))));
  const compiled = rules.compiled();
  for (let user = 0; user < 1_000; user += 1) {
    const request = factsOf({ headers: [["x-user-id", `user-${user}`]] });
    const decision = decide(compiled, request);
    for (let index = 0; index < 60; index += 1) mix.decided({ ...decision, rollout: `r${index}` }, compiled, request);
  }
  await vi.advanceTimersByTimeAsync(1_000);
  expect(Math.max(...fake.published.map(({ text }) => text.length))).toBeLessThan(256 * 1_024);
  expect(new Set(messages().flatMap(({ groups }) => groups.map(({ rollout }) => rollout))).size).toBe(60);
});
