import type { ServerResponse } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import type { RolloutInput } from "../../../../src/contract/rollout.ts";
import { CheckKeeper } from "../../../../src/controller/checks/check-keeper.ts";
import { type Checked, isAsked } from "../../../../src/controller/checks/held-checks.ts";
import { ControllerOptionsSchema } from "../../../../src/controller/options.ts";
import type { TermParts } from "../../../../src/controller/ports.ts";
import type { Logger } from "../../../../src/io/log.ts";
import { serverThat } from "../../../support/http-answers.ts";
import { liveOf, planState, rolloutOf } from "../builders.ts";
import { MemoryStore } from "../memory-store.ts";

type Own = NonNullable<RolloutInput["checks"]>["own"];
const ORDERS: Own = [{ name: "orders", prometheus: { hits: 'o{v="{variant}"}', all: 'v{v="{variant}"}' }, harm: "lower" }];

/** A keeper over one rollout, a Prometheus that answers as the test says, and time that the test moves. */
class Scene {
  /** Values by query; a query that is not there has no series. */
  readonly values: Record<string, number> = {};
  readonly said: string[] = [];
  readonly keeper: CheckKeeper;
  checked: Checked;
  isAway = false;
  asked = 0;
  #nowMs = 0;
  news = 0;

  constructor(url: string, own: Own) {
    const rollout = rolloutOf("cart", { checks: { own } });
    this.checked = { name: "cart", rollout, live: liveOf("cart", planState("stage")) };
    const settings = ControllerOptionsSchema.parse({ id: "a", nats: "nats://unused", checksPrometheus: url });
    const clock = { nowMs: () => this.#nowMs, monotonicMs: () => this.#nowMs };
    const say = (_: object, text: string): void => void this.said.push(text);
    // Only what a keeper says.
    const log = { info: say, warn: say } as unknown as Logger;
    const parts: TermParts = { id: "a", term: 1, settings, clock, log, killed: () => undefined, ...new MemoryStore().ports(Infinity) };
    this.keeper = new CheckKeeper(parts, () => {
      this.news += 1;
    });
  }

  static async of(own: Own): Promise<Scene> {
    let scene: Scene | undefined;
    const url = await serverThat(({ text }, response) => {
      if (scene === undefined || scene.isAway) return void response.writeHead(503).end("{}");
      scene.asked += 1;
      const value = scene.values[new URLSearchParams(text).get("query") ?? ""];
      const result = value === undefined ? [] : [{ metric: {}, value: [1, String(value)] }];
      response.end(JSON.stringify({ status: "success", data: { resultType: "vector", result } }));
    });
    const made = new Scene(url, own);
    scene = made;
    onTestFinished(() => made.keeper.close());
    return made;
  }

  set(stableHits: number, stable: number, canaryHits: number, canary: number): void {
    Object.assign(this.values, {
      'o{v="stable"}': stableHits,
      'v{v="stable"}': stable,
      'o{v="canary"}': canaryHits,
      'v{v="canary"}': canary,
    });
  }

  passTime(ms: number): void {
    this.#nowMs += ms;
  }

  /** One round, and what it found. */
  async round(afterMs = 10_000) {
    this.#nowMs += afterMs;
    const before = this.news;
    this.keeper.tick([this.checked]);
    await expect.poll(() => this.news, { timeout: 10_000 }).toBeGreaterThan(before);
    return this.keeper.take(this.checked);
  }
}

test.each(["stage", "ramp", "holdback", "paused", "promoting", "promoted"] as const)("own checks are asked in the phase %s", (phase) => {
  const { rollout, live } = new Scene("http://127.0.0.1:1", ORDERS).checked;
  expect(isAsked({ name: "cart", rollout, live: { ...live, plan: planState(phase) } })).toBe(true);
});

test.each(["pending", "rollingBack", "rolledBack", "handedOver"] as const)("own checks rest in the phase %s", (phase) => {
  const { rollout, live } = new Scene("http://127.0.0.1:1", ORDERS).checked;
  expect(isAsked({ name: "cart", rollout, live: { ...live, plan: planState(phase) } })).toBe(false);
});

describe("counters of a rollout's own", () => {
  test("are unknown before they were read, and then counted from the first reading on", async () => {
    const scene = await Scene.of(ORDERS);
    expect(scene.keeper.take(scene.checked)?.findings).toEqual([
      { name: "orders", isCritical: true, verdict: "unknown", reason: "not read yet" },
    ]);
    scene.set(10, 100, 1, 10);
    expect(await scene.round()).toMatchObject({ counts: {}, findings: [] });
    scene.set(14, 150, 3, 20);
    expect((await scene.round())?.counts).toEqual({ orders: { stableHits: 4, stable: 50, canaryHits: 2, canary: 10 } });
    expect(scene.keeper.take(scene.checked)).toMatchObject({ isNew: false, counts: {} });
  });

  test("that are not taken add up", async () => {
    const scene = await Scene.of(ORDERS);
    for (const step of [1, 2, 3]) {
      scene.set(step, 10 * step, step, 10 * step);
      if (step < 3) scene.keeper.take(scene.checked);
      await scene.round();
    }
    scene.set(4, 40, 4, 40);
    expect((await scene.round())?.counts).toEqual({ orders: { stableHits: 1, stable: 10, canaryHits: 1, canary: 10 } });
  });

  test("that cannot be read are unknown, said once, and lose nothing when they can again", async () => {
    const scene = await Scene.of(ORDERS);
    scene.set(10, 100, 10, 100);
    await scene.round();
    scene.isAway = true;
    expect((await scene.round())?.findings).toMatchObject([{ name: "orders", verdict: "unknown", isCritical: true }]);
    await scene.round();
    scene.isAway = false;
    scene.set(13, 130, 11, 110);
    expect(await scene.round()).toMatchObject({
      counts: { orders: { stableHits: 3, stable: 30, canaryHits: 1, canary: 10 } },
      findings: [],
    });
    expect(scene.said).toEqual(["own check cannot be read, so it is unknown", "own check can be read again"]);
  });

  test("that stand still for five minutes are unknown", async () => {
    const scene = await Scene.of(ORDERS);
    scene.set(10, 100, 10, 100);
    for (let round = 0; round < 3; round += 1) expect((await scene.round(100_000))?.findings).toEqual([]);
    expect((await scene.round(100_001))?.findings).toMatchObject([{ reason: "nothing was counted on both sides for 5 minutes" }]);
  });

  test("are read anew by another leader and in another attempt, so that nothing is counted twice", async () => {
    const scene = await Scene.of(ORDERS);
    scene.set(10, 100, 10, 100);
    await scene.round();
    scene.set(20, 200, 20, 200);
    const { live } = scene.checked;
    scene.checked = { ...scene.checked, live: { ...live, plan: { ...live.plan, firstRun: 2 } } };
    expect((await scene.round())?.counts).toEqual({});
  });

  test("are asked for every ten seconds, and not when nobody is on the canary", async () => {
    const scene = await Scene.of(ORDERS);
    scene.set(10, 100, 10, 100);
    await scene.round();
    scene.keeper.tick([scene.checked]);
    scene.checked = { ...scene.checked, live: liveOf("cart", planState("rolledBack")) };
    scene.keeper.tick([scene.checked]);
    expect(scene.keeper.take(scene.checked)).toBeUndefined();
    await scene.keeper.close();
    expect(scene.asked).toBe(4);
  });
});

describe("own checks are read while users may be on the canary", () => {
  test.each(["stage", "ramp", "holdback", "paused", "promoting", "promoted"] as const)("in phase %s", async (phase) => {
    const scene = await Scene.of(ORDERS);
    scene.checked = { ...scene.checked, live: liveOf("cart", planState(phase)) };
    scene.set(10, 100, 10, 100);
    expect((await scene.round())?.findings).toEqual([]);
  });
});

describe("servers that do not answer", () => {
  const hanging = (count: number, url: string): Own =>
    Array.from({ length: count }, (_, index) => ({ name: `slow-${index}`, webhook: { url, every: "5s", timeout: "1m" } }));

  test("keep no keeper from closing", async () => {
    const url = await serverThat(() => undefined);
    const scene = await Scene.of([
      { name: "orders", prometheus: { hits: 'o{v="{variant}"}', all: 'v{v="{variant}"}', url }, harm: "lower" },
    ]);
    scene.keeper.tick([scene.checked]);
    const begunMs = performance.now();
    await scene.keeper.close();
    expect(performance.now() - begunMs).toBeLessThan(4_000);
  });

  test("keep no other rollout from being asked when its turn comes", async () => {
    const waiting: ServerResponse[] = [];
    const url = await serverThat((_, response) => void waiting.push(response));
    const scene = await Scene.of(ORDERS);
    const slow = ["a", "b"].map((name) => {
      const rollout = rolloutOf(name, { checks: { own: hanging(20, url) } });
      return { name, rollout, live: liveOf(name, planState("stage")) };
    });
    const all = [...slow, scene.checked];
    scene.keeper.tick(all);
    await expect.poll(() => waiting.length, { timeout: 10_000 }).toBe(32);
    expect(scene.asked).toBe(0);
    scene.passTime(60_000);
    const before = scene.news;
    for (const response of waiting.splice(0)) response.end("{}");
    await expect.poll(() => scene.news, { timeout: 10_000 }).toBe(before + 32);
    scene.keeper.tick(all);
    await expect.poll(() => scene.asked, { timeout: 10_000 }).toBeGreaterThan(0);
  });
});

describe("a gauge of a rollout's own", () => {
  const LOAD: Own = [{ name: "load", gauge: { prometheus: 'l{v="{variant}"}' }, harm: "higher" }];

  test("has one value a side", async () => {
    const scene = await Scene.of(LOAD);
    Object.assign(scene.values, { 'l{v="stable"}': 0.25, 'l{v="canary"}': 0.75 });
    expect(await scene.round()).toMatchObject({ samples: { load: [{ atMs: 10_000, stable: 0.25, canary: 0.75 }] }, findings: [] });
  });

  test("without a value is unknown, and only advises", async () => {
    const scene = await Scene.of(LOAD);
    scene.values['l{v="stable"}'] = 0.25;
    expect(await scene.round()).toMatchObject({
      samples: {},
      findings: [{ isCritical: false, reason: "the query gives 0 series for the canary; make it give one number, like avg(…)" }],
    });
  });
});

describe("a check that lacks something of the controller says what", () => {
  test.each([
    {
      title: "a secret",
      own: [{ name: "smoke", webhook: { url: "http://127.0.0.1:1/", secret: "smoke" } }] satisfies Own,
      reason: "the secret smoke has no place to be; start controllers with --check-secrets DIR",
    },
    {
      title: "an address that answers",
      own: [
        { name: "orders", prometheus: { hits: 'o{v="{variant}"}', all: 'v{v="{variant}"}', url: "http://127.0.0.1:1" }, harm: "lower" },
      ] satisfies Own,
      reason: expect.stringContaining("http://127.0.0.1:1/api/v1/query: "),
    },
  ])("$title", async ({ own, reason }) => {
    const scene = await Scene.of(own);
    expect((await scene.round())?.findings).toMatchObject([{ verdict: "unknown", isCritical: true, reason }]);
  });
});
