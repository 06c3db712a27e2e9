import { describe, expect } from "vitest";
import { STREAMS, SUBJECTS } from "../../../src/contract/names.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { ensureStreams } from "../../../src/io/nats.ts";
import { readRuleSet } from "../../../src/io/rules-reader.ts";
import { listAudit, listSubjects, readFleet, readJudge, readPlan } from "../../../src/io/store.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { waitFor } from "./wait.ts";
import { inWorld, test, type World } from "./world.ts";

const twoStages: RolloutInput["strategy"] = {
  type: "canary",
  stages: [
    { share: "10%", minTime: "200ms", minSample: 50 },
    { share: "50%", minTime: "200ms", minSample: 50 },
  ],
};
/** A stage that nothing passes within a test. */
const longStage: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "20%", minTime: "1h", minSample: 50 }] };

async function audited(world: World, rollout: string, actions: readonly string[]): Promise<void> {
  expect((await world.audit(rollout)).map(({ action }) => action)).toEqual(actions);
}

describe("a good canary", () => {
  test("waits for the sidecars, passes its stages, is promoted and handed over", async ({ world }) => {
    await world.leader("a");
    const reply = await world.apply(documentOf("cart", { strategy: twoStages }));
    expect(reply).toMatchObject({ result: "done", phase: "pending", run: 1 });
    expect((await readRuleSet(world.link))?.ruleSet.rollouts["cart"]?.live).toEqual({
      run: 1,
      shareBp: 0,
      off: false,
      whenUnwatched: "stable",
    });
    await Promise.all([world.sidecar("one"), world.sidecar("two")]);
    expect((await world.phase("cart", "promoted")).shareBp).toBe(10_000);
    expect((await readRuleSet(world.link))?.ruleSet.rollouts["cart"]?.live).toMatchObject({ shareBp: 10_000, whenUnwatched: "hold" });
    expect(await world.send("handover", { rollout: "cart" })).toMatchObject({ result: "done", phase: "handedOver" });
    const { rollouts } = (await readRuleSet(world.link))?.ruleSet ?? {};
    expect(rollouts?.["cart"]?.live).toMatchObject({ shareBp: 0, off: true });
    await audited(world, "cart", ["apply", "pending", "stage", "begun", "stage", "begun", "promoting", "promoted", "handedOver"]);
    const taken = (await world.audit("cart")).filter(({ action }) => action === "stage");
    expect(taken.map(({ shareBp }) => shareBp)).toEqual([1_000, 5_000]);
    expect(Object.keys((await readFleet(world.link))?.sidecars ?? {}).toSorted()).toEqual(["one", "two"]);
  });

  test("goes no further while a known sidecar does not confirm, until that one is forgotten", async ({ world }) => {
    await world.leader("a");
    const [, silent] = await Promise.all([world.sidecar("one"), world.sidecar("two")]);
    await world.knows("one", "two");
    silent.obeys = false;
    await world.apply(documentOf("cart", { strategy: longStage }));
    const one = await readJudge(world.link, "cart");
    await waitFor(
      "evidence of run 1",
      async () => ((await readJudge(world.link, "cart"))?.totals.stable.decided ?? 0) > (one?.totals.stable.decided ?? 0) || undefined,
    );
    expect((await world.phase("cart", "pending")).plan.run).toBe(1);
    await silent.stop();
    expect(await world.send("forget", { sidecar: "two", reason: "scaled in" })).toMatchObject({ result: "done" });
    await world.phase("cart", "stage");
    const told = await waitFor("the audit of it", async () =>
      (await listAudit(world.link, "cart", 100)).find(({ action }) => action === "forget"),
    );
    expect(told).toMatchObject({ reason: "sidecar two: scaled in" });
    expect(await world.send("forget", { sidecar: "two" })).toMatchObject({
      result: "invalid",
      message: "no sidecar of that name is known; `serin status --json` lists those that are",
    });
  });
});

describe("a bad canary", () => {
  test("is taken back by its own evidence, and users get stable", async ({ world }) => {
    await world.leader("a");
    const sidecar = await world.sidecar("one");
    await world.apply(documentOf("cart", { strategy: longStage }));
    await world.phase("cart", "stage");
    sidecar.traffic.canaryFailed = 50;
    const live = await world.phase("cart", "rolledBack");
    expect(live.plan).toMatchObject({ run: 3, stragglers: [] });
    expect((await readRuleSet(world.link))?.ruleSet.rollouts["cart"]?.live).toMatchObject({ run: 3, shareBp: 0, off: true });
    // The plan is written first, then what the judge knows.
    const judged = await waitFor("the judge's record", async () => {
      const record = await readJudge(world.link, "cart");
      return record?.verdict?.verdict === "rollback" ? record : undefined;
    });
    expect(judged.totals.canary.failed).toBeGreaterThan(0);
    await audited(world, "cart", ["apply", "pending", "stage", "begun", "rollback", "rolledBack"]);
  });
});

describe("abort", () => {
  test.each([
    { phase: "pending", reach: async () => undefined },
    {
      phase: "stage",
      reach: async (world: World) => {
        await world.sidecar("one");
      },
    },
    {
      phase: "paused",
      reach: async (world: World) => {
        await world.sidecar("one");
        await world.phase("cart", "stage");
        await world.send("pause", { rollout: "cart", reason: "lunch" });
      },
    },
    {
      phase: "promoting",
      reach: async (world: World) => {
        const sidecar = await world.sidecar("one");
        await world.live("cart", "begun", ({ plan }) => plan.phase === "stage" && plan.begunAtMs !== null);
        sidecar.obeys = false;
        await world.send("promote", { rollout: "cart", full: true });
      },
    },
    {
      phase: "promoted",
      reach: async (world: World) => {
        await world.sidecar("one");
        await world.phase("cart", "stage");
        await world.send("promote", { rollout: "cart", full: true });
      },
    },
  ] as const)("from $phase leads back, with the manifest off before the answer", async ({ phase, reach }) => {
    // vitest's table and fixtures do not go together, so this test opens and closes its own world.
    await inWorld(async (world) => {
      await world.leader("a");
      await world.apply(documentOf("cart", { strategy: longStage }));
      await reach(world);
      await world.phase("cart", phase);
      const reply = await world.send("abort", { rollout: "cart", reason: "smells" });
      expect(reply).toMatchObject({ result: "done", phase: "rollingBack" });
      expect((await readRuleSet(world.link))?.ruleSet.rollouts["cart"]?.live).toMatchObject({ run: reply.run, shareBp: 0, off: true });
    });
  });
});

describe("apply", () => {
  test("of the same document changes nothing, of another one is refused with what to do", async ({ world }) => {
    await world.leader("a");
    const document = documentOf("cart", { strategy: longStage });
    await world.apply(document);
    expect(await world.apply(document)).toMatchObject({ result: "unchanged" });
    const other = await world.apply({ ...document, salt: "another" });
    expect(other).toMatchObject({ result: "refused", message: expect.stringContaining("serin abort cart") });
    expect((await readPlan(world.link, "cart"))?.rollout.salt).toBeUndefined();
  });

  test("of an invalid document names the faults and stores nothing", async ({ world }) => {
    await world.leader("a");
    expect(await world.apply({ ...documentOf("cart"), key: [] })).toMatchObject({
      result: "invalid",
      message: expect.stringContaining("key: "),
    });
    expect(await readPlan(world.link, "cart")).toBeUndefined();
  });

  test("records who asked as claimed, whatever the sender says of itself", async ({ world }) => {
    await world.leader("a");
    await world.apply(documentOf("cart"), { who: { name: "eve", claimed: false } });
    expect((await readPlan(world.link, "cart"))?.who).toEqual({ name: "eve", claimed: true });
  });
});

describe("what is left over", () => {
  test("blobs that no manifest names are removed after their time, the others stay", async ({ world }) => {
    await world.leader("a", { purgeAfterMs: 100 });
    await world.apply(documentOf("cart", { strategy: longStage }));
    const manager = await ensureStreams(world.link);
    const blobs = () => listSubjects(manager, STREAMS.state, SUBJECTS.blob("*"));
    const [first] = await blobs();
    await world.send("abort", { rollout: "cart" });
    await world.phase("cart", "rolledBack");
    await world.apply(documentOf("cart", { strategy: longStage, salt: "another" }));
    const left = await waitFor("the first blob is gone", async () => {
      const all = await blobs();
      return all.includes(first ?? "") ? undefined : all;
    });
    expect(left.length).toBe(1);
    expect((await readRuleSet(world.link))?.ruleSet.rollouts["cart"]?.rules.salt).toBe("another");
  });
});

describe("health and metrics", () => {
  test("tell who leads and where each rollout stands", async ({ world }) => {
    const leader = await world.leader("a", { http: "127.0.0.1:0" });
    const standby = await world.controller("b", { options: { http: "127.0.0.1:0" } });
    await world.apply(documentOf("cart", { strategy: longStage }));
    const get = async (url: string | undefined, path: string) => (await fetch(`${url}${path}`)).text();
    expect(await get(leader.httpUrl, "/metrics")).toContain('serin_rollout_phase{rollout="cart",phase="pending"} 1');
    expect([await get(leader.httpUrl, "/readyz"), await get(standby.httpUrl, "/readyz")]).toEqual([
      '{"role":"leader"}\n',
      '{"role":"standby"}\n',
    ]);
    expect(await get(standby.httpUrl, "/metrics")).toContain("serin_controller_leader 0");
  });

  test("refuse an address that makes no sense before anything starts", async ({ world }) => {
    await expect(world.controller("a", { options: { http: "nowhere" } })).rejects.toThrow("not an address; write HOST:PORT");
  });
});
