import { describe, expect } from "vitest";
import { NoLeaderError } from "../../../src/contract/errors.ts";
import { SUBJECTS } from "../../../src/contract/names.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import type { Clock } from "../../../src/io/clock.ts";
import { subscribeSafely } from "../../../src/io/nats.ts";
import { readFleet, readLease, readLive } from "../../../src/io/store.ts";
import { documentOf, evidenceOf } from "../../unit/controller/builders.ts";
import { startCuttable } from "./cuttable.ts";
import { waitFor } from "./wait.ts";
import { test, type World } from "./world.ts";

const longStage: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "20%", minTime: "1h", minSample: 50 }] };
/** One that is passed while a test lasts. */
const shortStage: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "20%", minTime: "5s", minSample: 50 }] };
/** Longer than a takeover, which finds it as it was. */
const middleStage: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "20%", minTime: "15s", minSample: 50 }] };
/** Time stands still for a paused process; it does not know that its lease ran out. */
const frozen: Clock = { nowMs: () => Date.now(), monotonicMs: () => 0 };

async function inStage(world: World, strategy: RolloutInput["strategy"]) {
  await world.sidecar("one");
  await world.apply(documentOf("cart", { strategy }));
  return world.live("cart", "begun", ({ plan }) => plan.phase === "stage" && plan.begunAtMs !== null);
}

async function relayOf(world: World, delayMs = 0) {
  const relay = await startCuttable(world.server.port, delayMs);
  world.closing(() => relay.close());
  return { ...relay, url: `nats://127.0.0.1:${relay.port}` };
}

describe("two controllers", () => {
  test("one leads, and a clean stop hands over at once", async ({ world }) => {
    // A lease that nobody waits for: it would outlast this test.
    const options = { leaseMs: 600_000 };
    const first = await world.leader("a", options);
    const second = await world.controller("b", { options });
    expect([first.isLeader(), second.isLeader()]).toEqual([true, false]);
    await first.stop();
    await waitFor("b leads", () => second.isLeader() || undefined);
    expect(await readLease(world.link)).toMatchObject({ holder: "b", term: 2 });
  });

  test("a killed leader is succeeded when its lease runs out, and the rollout goes on from its stage", async ({ world }) => {
    const relay = await relayOf(world);
    const first = await world.controller("a", { url: relay.url });
    await waitFor("a leads", () => first.isLeader() || undefined);
    const second = await world.controller("b");
    const before = await inStage(world, middleStage);
    relay.cut();
    await waitFor("b leads", () => second.isLeader() || undefined);
    expect((await readLive(world.link, "cart"))?.plan).toEqual(before.plan);
    const after = await world.phase("cart", "promoted");
    expect(after.plan.run).toBe(before.plan.run + 1);
    const actions = (await world.audit("cart")).map(({ action }) => action);
    expect(actions.slice(0, 6)).toEqual(["apply", "pending", "stage", "begun", "promoting", "promoted"]);
    expect(first.isLeader()).toBe(false);
  });

  test("a leader that was paused cannot write when it wakes", async ({ world }) => {
    const relay = await relayOf(world);
    const sleeper = await world.controller("a", { url: relay.url, clock: frozen });
    await waitFor("a leads", () => sleeper.isLeader() || undefined);
    const successor = await world.controller("b");
    await inStage(world, longStage);
    relay.freeze();
    await waitFor("b leads", () => successor.isLeader() || undefined);
    await world.send("pause", { rollout: "cart", reason: "by b" });
    relay.thaw();
    await waitFor("a steps down", () => !sleeper.isLeader() || undefined);
    expect(await readLease(world.link)).toMatchObject({ holder: "b", term: 2 });
    expect((await readLive(world.link, "cart"))?.plan).toMatchObject({ phase: "paused", reason: "by b" });
    expect(await world.send("resume", { rollout: "cart" })).toMatchObject({ result: "done" });
  });
});

describe("a repeated command", () => {
  test("gets the same answer from the next leader, and is carried out once", async ({ world }) => {
    const first = await world.leader("a");
    await inStage(world, longStage);
    const reply = await world.send("pause", { id: "the-same-id", rollout: "cart", reason: "lunch" });
    expect(await world.send("pause", { id: "the-same-id", rollout: "cart" })).toEqual(reply);
    await first.stop();
    await expect(world.send("pause", { id: "the-same-id", rollout: "cart" })).rejects.toThrow(NoLeaderError);
    await world.leader("b");
    expect(await world.send("pause", { id: "the-same-id", rollout: "cart" })).toEqual(reply);
    const paused = (await world.audit("cart")).filter(({ action }) => action === "paused");
    expect(paused.length).toBe(1);
  });
});

test("a goodbye said while nobody leads is heard by the next leader, which waits for that sidecar no more", async ({ world }) => {
  const first = await world.leader("a");
  const gone = await world.sidecar("gone");
  await inStage(world, longStage);
  await first.stop();
  await gone.goodbye();
  await world.leader("b");
  await world.apply(documentOf("other", { strategy: longStage, match: { hosts: ["other.example"] } }));
  const { plan } = await world.live("other", "begun", (live) => live.plan.phase === "stage" && live.plan.begunAtMs !== null);
  expect(plan.phase).toBe("stage");
  await waitFor("one alone is known", async () => Object.keys((await readFleet(world.link))?.sidecars ?? {}).join() === "one" || undefined);
});

test("what a sidecar tells at once when it hears of a new term is heard, however slow the new leader's network is", async ({ world }) => {
  const first = await world.leader("a");
  const sidecar = await world.sidecar("one");
  await world.apply(documentOf("cart", { strategy: longStage }));
  const { plan } = await world.live("cart", "begun", (live) => live.plan.phase === "stage" && live.plan.begunAtMs !== null);
  await sidecar.stop();
  await first.stop();
  let told = 0;
  const stop = subscribeSafely(
    world.link,
    SUBJECTS.push(SUBJECTS.lease),
    ({ data }) => {
      if (!Buffer.from(data).includes('"holder":"b"') || told > 0) return;
      told += 1;
      const counted = { run: plan.run, decided: 500, isTimed: false };
      const failing = [
        { ...counted, variant: "stable", ok: 500, failed: 0 },
        { ...counted, variant: "canary", ok: 0, failed: 500 },
      ] as const;
      world.link.connection.publish(SUBJECTS.evidence("late"), JSON.stringify(evidenceOf("cart", 1, failing)));
    },
    () => undefined,
  );
  world.closing(async () => stop());
  const { url } = await relayOf(world, 100);
  await world.controller("b", { url });
  await world.phase("cart", "rollingBack");
  expect(told).toBe(1);
});

describe("NATS", () => {
  test("killed and back: the rollout goes on where it was", async ({ world }) => {
    const controller = await world.leader("a");
    const before = await inStage(world, shortStage);
    await world.server.kill();
    await waitFor("a leads no more", () => !controller.isLeader() || undefined);
    await world.server.restart();
    const after = await world.phase("cart", "promoted");
    expect(after.plan.run).toBe(before.plan.run + 1);
  });

  test("killed and back before the lease runs out: the same term goes on", async ({ world }) => {
    const controller = await world.leader("a", { leaseMs: 20_000 });
    const before = await inStage(world, shortStage);
    await world.server.restart();
    const after = await world.phase("cart", "promoted");
    expect([after.plan.run, controller.isLeader()]).toEqual([before.plan.run + 1, true]);
    expect(await readLease(world.link)).toMatchObject({ holder: "a", term: 1 });
  });

  test("away at the start: the controller waits and then leads", async ({ world }) => {
    await world.server.kill();
    const starting = world.controller("a");
    await world.server.restart();
    const controller = await starting;
    await waitFor("a leads", () => controller.isLeader() || undefined);
  });
});
