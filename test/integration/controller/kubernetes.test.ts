import { describe, expect } from "vitest";
import type { LiveState } from "../../../src/contract/live.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { FakeKubernetes, type FakePod } from "../../support/fake-kubernetes.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { waitFor } from "./wait.ts";
import { test, type World } from "./world.ts";

const services = { stable: "cart", canary: "cart-new" };
const held = ({ plan }: LiveState): string | undefined => ("held" in plan ? plan.held?.now : undefined);
const pods = (...ready: boolean[]): FakePod[] => ready.map((isReady, index) => ({ name: `new-${index}`, isReady }));

async function leaderBeside(world: World, fake: FakeKubernetes, id = "a") {
  return world.leader(id, { kubernetes: { url: fake.url, watchMs: 1_000 } });
}

const cart = (change: Partial<RolloutInput> = {}): RolloutInput =>
  documentOf("cart", {
    strategy: { type: "canary", stages: [{ share: "10%", minTime: "1h" }] },
    kubernetes: { namespace: "shop", services },
    ...change,
  });

describe("a rollout that names its Services", () => {
  test("waits for the canary's endpoints, says how many are ready, and goes on when all are", async ({ world }) => {
    const fake = await FakeKubernetes.start();
    fake.page = 1;
    fake.serve("shop", "cart", [{ name: "old" }]);
    fake.serve("shop", "cart-new", pods(true, false, false));
    await leaderBeside(world, fake);
    await world.sidecar("one");
    await world.apply(cart());
    await world.live("cart", "held", (live) => held(live) === "1 of 3");
    fake.serve("shop", "cart-new", pods(true, true, false));
    await world.live("cart", "held by less", (live) => held(live) === "2 of 3");
    const audit = await world.audit("cart");
    expect(audit.map(({ reason }) => reason).filter((reason) => reason?.includes("not ready"))).toEqual([
      "endpoints: the canary's endpoints are not ready: 1 of 3",
    ]);
    fake.serve("shop", "cart-new", pods(true, true, true));
    await world.phase("cart", "stage");
    // It is not about the next step, and the way back asks nobody.
    fake.failsWith = 503;
    fake.endWatches(true);
    await world.send("abort", { rollout: "cart", reason: "enough" });
    await world.phase("cart", "rolledBack");
  });

  test("goes back when they are not ready for longer than it lets them", async ({ world }) => {
    const fake = await FakeKubernetes.start();
    fake.serve("shop", "cart-new", pods(false));
    await leaderBeside(world, fake);
    await world.sidecar("one");
    await world.apply(cart({ kubernetes: { namespace: "shop", services, unready: { after: "10s", action: "rollback" } } }));
    const live = await world.phase("cart", "rolledBack");
    expect(live.plan).toMatchObject({ reason: "the canary's endpoints are not ready for 10s: 0 of 1" });
  });

  test("waits where no controller looks at Kubernetes, and where that refuses, and goes on when it answers", async ({ world }) => {
    const fake = await FakeKubernetes.start();
    const first = await world.leader("a");
    await world.sidecar("one");
    await world.apply(cart());
    await world.live("cart", "held", (live) => held(live) === "no Kubernetes is looked at; start controllers with --kubernetes");
    await first.stop();
    fake.failsWith = 403;
    await leaderBeside(world, fake, "b");
    await world.live("cart", "held by a refusal", (live) => held(live) === "Kubernetes answers 403: the test says so");
    // Who may list and not watch knows nothing either, and does not ask faster and faster.
    fake.refusesWatches = true;
    fake.failsWith = undefined;
    fake.serve("shop", "cart-new", pods(true));
    await world.live(
      "cart",
      "held by a refused watch",
      (live) => held(live) === "Kubernetes answers 403: Forbidden (watch of endpointslices in shop)",
    );
    fake.refusesWatches = false;
    await world.phase("cart", "stage");
  });
});

test("what changes while a watch is ended, cut or too old is heard of, and nothing is asked for over and over", async ({ world }) => {
  const fake = await FakeKubernetes.start();
  fake.serve("shop", "cart-new", pods(false));
  await leaderBeside(world, fake);
  await world.sidecar("one");
  await world.apply(cart());
  const shows = (now: string) => world.live("cart", now, (live) => held(live) === now);
  await shows("0 of 1");
  await waitFor("a watch", () => fake.watches > 0 || undefined);
  for (const [index, lose] of [
    () => fake.endWatches(),
    () => fake.endWatches(true),
    () => fake.compact(true),
    () => fake.compact(false),
  ].entries()) {
    fake.takeAsked();
    lose();
    fake.serve("shop", "cart-new", pods(...Array.from({ length: index + 2 }, () => false)));
    await shows(`0 of ${index + 2}`);
    await waitFor("a watch again", () => fake.watches > 0 || undefined);
    expect(fake.takeAsked().length).toBeLessThan(20);
  }
  fake.bookmark("shop");
  fake.remove("shop", "cart-new");
  await shows("0 of 0, and 1 are asked for");
});

test("changes are written as Events, each once, also by the next leader", async ({ world }) => {
  const fake = await FakeKubernetes.start();
  fake.serve("shop", "cart-new", pods(true));
  const first = await leaderBeside(world, fake);
  await world.sidecar("one");
  await world.apply(cart());
  await world.phase("cart", "stage");
  // It is held for the moment until Kubernetes has answered for the first time.
  const events = () => fake.events.filter(({ reason }) => reason !== "Held");
  const reasons = (): unknown[] => events().map(({ reason }) => reason);
  await waitFor("the stage's Event", () => reasons().includes("Stage") || undefined);
  await first.stop();
  await leaderBeside(world, fake, "b");
  await world.send("abort", { rollout: "cart", reason: "enough" });
  await waitFor("the end's Event", () => reasons().includes("RolledBack") || undefined);
  expect(reasons()).toEqual(["Apply", "Stage", "Rollback", "RolledBack"]);
  expect(events()[2]).toMatchObject({
    metadata: { namespace: "shop" },
    regarding: { kind: "Service", name: "cart-new" },
    type: "Warning",
    note: expect.stringContaining("cart: rolling back from stage 1 of 1 at 10 %: enough"),
  });
});

test("a promoted rollout is handed over when all pods of stable run the new version", async ({ world }) => {
  const fake = await FakeKubernetes.start();
  const old = { name: "old-1", image: "shop:1.0" };
  fake.serve("shop", "cart-new", pods(true));
  fake.serve("shop", "cart", [old, { name: "old-2", image: "shop:2.0" }]);
  await leaderBeside(world, fake);
  await world.sidecar("one");
  await world.apply(cart({ handover: { when: { kubernetes: { image: "shop:2.0", container: "app" }, every: "1s", times: 1 } } }));
  await world.phase("cart", "stage");
  await world.send("promote", { rollout: "cart", full: true });
  await world.live("cart", "seen", ({ seen }) => seen === "1 of 2 pods do not show it: old-1 has shop:1.0");
  fake.serve("shop", "cart", [{ ...old, image: "shop:2.0", isReady: false }]);
  await world.live("cart", "not ready", ({ seen }) => seen === "1 of 1 of stable's endpoints are not ready");
  fake.serve("shop", "cart", [
    { name: "new-9", image: "shop:2.0" },
    { ...old, isEnding: true },
  ]);
  await world.phase("cart", "handedOver");
});
