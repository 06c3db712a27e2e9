import { describe, expect, test } from "vitest";
import { type KubernetesRule, KubernetesSchema } from "../../../../src/contract/kubernetes.ts";
import type { PlanState } from "../../../../src/contract/live.ts";
import { type EndpointsSeen, lookAtEndpoints } from "../../../../src/core/plan/endpoints.ts";
import { plan } from "../../../../src/core/plan/plan.ts";
import { podsLack } from "../../../../src/core/plan/stable-pods.ts";
import type { Hold } from "../../../../src/core/plan/types.ts";
import { events, rollout, SINCE_MS, states, stepOf, summary } from "../../../support/plan-inputs.ts";

const MINUTE = 60_000;
const ruleOf = (change: object = {}): KubernetesRule =>
  KubernetesSchema.parse({ namespace: "shop", services: { stable: "cart", canary: "cart-canary" }, ...change });
const look = (seen: EndpointsSeen, rule = ruleOf(), before?: Parameters<typeof lookAtEndpoints>[1]["before"], nowMs = 1_000) =>
  lookAtEndpoints(rule, { seen: (service) => (service === "cart" ? { ready: 0, all: 0 } : seen), before, nowMs });
const texts = ({ holds }: { holds: readonly Hold[] }): string[] => holds.map(({ reason, now }) => `${reason}: ${now}`);

describe("the endpoints of a canary", () => {
  test.each<[string, EndpointsSeen, object, string[]]>([
    ["let it grow when all are ready", { ready: 3, all: 3 }, {}, []],
    ["hold it while one is not", { ready: 2, all: 3 }, {}, ["the canary's endpoints are not ready: 2 of 3"]],
    ["hold it while there are none", { ready: 0, all: 0 }, {}, ["the canary's endpoints are not ready: 0 of 0, and 1 are asked for"]],
    ["let it grow from the part that it asks for", { ready: 9, all: 10 }, { ready: "90%" }, []],
    ["hold it just below that part", { ready: 8, all: 10 }, { ready: "90%" }, ["the canary's endpoints are not ready: 8 of 10"]],
    [
      "hold it while there are fewer than it asks for",
      { ready: 1, all: 1 },
      { atLeast: 3 },
      ["the canary's endpoints are not ready: 1 of 1, and 3 are asked for"],
    ],
    ["hold it while nobody knows", { problem: "403" }, {}, ["the canary's endpoints are not known: 403"]],
  ])("%s", (_, seen, change, expected) => {
    expect(texts(look(seen, ruleOf(change)))).toEqual(expected);
  });

  test("hold it for each variant that grows, and for no other", () => {
    const rule = ruleOf({ services: { stable: "cart", a: "cart-a", b: "cart-b" } });
    expect(texts(look({ ready: 0, all: 1 }, rule))).toEqual([
      "the a's endpoints are not ready: 0 of 1",
      "the b's endpoints are not ready: 0 of 1",
    ]);
  });
});

describe("a limit in time", () => {
  const unready = { ready: 1, all: 3 };
  const since = (ms: number | null, awayMs: number | null = null) => ({ unreadySinceMs: ms, awaySinceMs: awayMs });

  test("begins when endpoints are not ready, lasts while they are not known, and ends when they are ready", () => {
    expect(look(unready, ruleOf(), undefined, 7).times).toEqual(since(7));
    expect(look(unready, ruleOf(), since(7), 9).times).toEqual(since(7));
    expect(look({ problem: "away" }, ruleOf(), since(7), 9).times).toEqual(since(7, 9));
    expect(look({ problem: "away" }, ruleOf(), undefined, 9).times).toEqual(since(null, 9));
    expect(look({ problem: "away" }, ruleOf(), since(null, 3), 9).times).toEqual(since(null, 3));
    expect(look({ ready: 3, all: 3 }, ruleOf(), since(7, 9), 11).times).toEqual(since(null));
  });

  test.each([
    ["waits on", {}, 10 * MINUTE, undefined],
    ["waits until then", { unready: { action: "rollback" } }, 10 * MINUTE - 1, undefined],
    ["goes back", { unready: { action: "rollback" } }, 10 * MINUTE, "the canary's endpoints are not ready for 10m: 1 of 3"],
  ])("of endpoints that are not ready: it %s", (_, change, nowMs, alarm) => {
    expect(look(unready, ruleOf(change), since(0), nowMs).alarm).toBe(alarm);
  });

  test("sends nobody back while endpoints are not known", () => {
    expect(look({ problem: "away" }, ruleOf({ unready: { action: "rollback" } }), since(0), 20 * MINUTE).alarm).toBeUndefined();
  });

  test.each([
    ["waits on", {}, 10 * MINUTE, 1],
    ["waits until then", { away: { after: "1m", action: "goOn" } }, MINUTE - 1, 1],
    ["goes on without it", { away: { after: "1m", action: "goOn" } }, MINUTE, 0],
  ])("of Kubernetes being away: it %s", (_, change, nowMs, holds) => {
    expect(look({ problem: "away" }, ruleOf(change), since(null, 0), nowMs).holds).toHaveLength(holds);
  });
});

describe("a rollout whose endpoints are not ready for too long", () => {
  test.each<[string, PlanState, string]>([
    ["goes back before its first users", states.pending, "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["goes back from a stage", states.stage, "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["stays promoted", states.promoted, "promoted, run 7"],
    ["stays paused", states.paused, "paused 1, run 7"],
  ])("%s", (_, state, expected) => {
    expect(summary(plan(rollout, state, events.tick, { nowMs: SINCE_MS, unready: "0 of 3" }))).toBe(expected);
  });

  test("is judged by its outcomes all the same", () => {
    expect(summary(plan(rollout, states.stage, events.advance, { nowMs: SINCE_MS, unready: "0 of 3" }))).toBe("stage 1, run 7");
  });
});

test("a count that changes while it holds is shown, and is no new hold", () => {
  const hold = (now: string): Hold => ({ kind: "endpoints", reason: "the canary's endpoints are not ready", now });
  const first = stepOf(states.stage, events.tick, 1_000, [hold("1 of 3")]);
  expect(first).toMatchObject({
    state: { held: { reason: "endpoints: the canary's endpoints are not ready", now: "1 of 3" } },
    effects: [{ action: "held", reason: "endpoints: the canary's endpoints are not ready: 1 of 3" }],
  });
  const held = { sinceMs: SINCE_MS, reason: "endpoints: the canary's endpoints are not ready", now: "1 of 3" };
  expect(stepOf({ ...states.stage, held }, events.tick, 2_000, [hold("2 of 3")])).toEqual({
    ok: true,
    state: { ...states.stage, held: { ...held, now: "2 of 3" } },
    effects: [],
  });
});

describe("the pods of stable", () => {
  const pod = (name: string, image: string, version?: string) => ({
    name,
    labels: version === undefined ? {} : { version },
    images: { app: image, proxy: "envoy:1.40" },
  });
  test.each([
    ["all run the image", { image: "shop:2" }, [pod("a", "shop:2"), pod("b", "shop:2")], undefined],
    [
      "one runs another",
      { image: "shop:2" },
      [pod("a", "shop:2"), pod("b", "shop:1")],
      "1 of 2 pods do not show it: b has shop:1, envoy:1.40",
    ],
    ["all run it in that container", { image: "shop:2", container: "app" }, [pod("a", "shop:2")], undefined],
    [
      "it runs in another container",
      { image: "shop:2", container: "proxy" },
      [pod("a", "shop:2")],
      "1 of 1 pods do not show it: a has envoy:1.40",
    ],
    [
      "there is no such container",
      { image: "shop:2", container: "web" },
      [pod("a", "shop:2")],
      "1 of 1 pods do not show it: a has no such container",
    ],
    ["all have the label", { label: "version", equals: "2" }, [pod("a", "shop:2", "2")], undefined],
    ["one has another", { label: "version", equals: "2" }, [pod("a", "shop:2", "1")], "1 of 1 pods do not show it: a has 1"],
    ["one has none", { label: "version", equals: "2" }, [pod("a", "shop:2")], "1 of 1 pods do not show it: a has no label version"],
    ["there are none", { image: "shop:2" }, [], "stable's Service has no pods"],
  ])("%s", (_, shown, pods, expected) => {
    expect(podsLack(shown, pods)).toBe(expected);
  });
});
