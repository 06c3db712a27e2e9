import { describe, expect } from "vitest";
import type { Audit } from "../../../src/contract/messages.ts";
import type { PolicyInput } from "../../../src/contract/policy.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { readRuleSet } from "../../../src/io/rules-reader.ts";
import { listAudit, readFreeze, readJudge, readLive, readPolicy } from "../../../src/io/store.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { waitFor } from "./wait.ts";
import { test, type World } from "./world.ts";

const canary = (...all: Extract<RolloutInput["strategy"], { type: "canary"; stages: unknown }>["stages"]): RolloutInput["strategy"] => ({
  type: "canary",
  stages: all,
});
const stages = (minTime: string, ...shares: string[]): RolloutInput["strategy"] =>
  canary(...shares.map((share, index) => ({ share, minTime: index === 0 ? minTime : "100ms", minSample: 20 })));
const twoStages = stages("100ms", "10%", "50%");
const longStage: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "20%", minTime: "1h", minSample: 50 }] };
const policyOf = (change: Partial<PolicyInput> = {}): PolicyInput => ({ apiVersion: "serin/v1", kind: "Policy", ...change });

const held = (world: World, name: string, reason: string) =>
  world.live(name, `held by ${reason}`, ({ plan }) => "held" in plan && plan.held?.reason.includes(reason) === true);

/** So many actions of the mesh's audit, which is written behind them, with who caused them. */
const auditedOfMesh = (world: World, count: number): Promise<string[]> =>
  waitFor(`${count} lines of the mesh's audit`, async () => {
    const lines = await listAudit(world.link, undefined, 100);
    return lines.length >= count ? lines.map(textOf) : undefined;
  });
const textOf = ({ action, who }: Audit): string => `${action} by ${who.name}`;

describe("a freeze", () => {
  test("stops all advancing until it is over, through a fail-over, and never what goes back", async ({ world }) => {
    const first = await world.leader("a");
    await world.sidecar("one");
    await world.apply(documentOf("cart", { strategy: longStage }));
    await world.apply(documentOf("shop", { strategy: stages("8s", "10%", "50%") }));
    await world.live("cart", "begun", ({ plan }) => plan.phase === "stage" && plan.begunAtMs !== null);
    const reply = await world.send("freeze", { id: "freeze-1", reason: "incident 12" });
    expect(reply).toMatchObject({ result: "done", message: "nothing advances: frozen by ann (incident 12); `serin unfreeze` ends it" });
    await held(world, "cart", "freeze: frozen by ann (incident 12)");
    const { plan: before } = await held(world, "shop", "incident 12");

    await first.stop();
    await world.leader("b");
    expect(await world.send("freeze", { id: "freeze-1", reason: "incident 12" })).toEqual(reply);
    const judged = (await readJudge(world.link, "shop"))?.totals.canary.decided ?? 0;
    await waitFor(
      "more evidence",
      async () => ((await readJudge(world.link, "shop"))?.totals.canary.decided ?? 0) > judged + 500 || undefined,
    );
    expect((await readLive(world.link, "shop"))?.plan.run).toBe(before.run);
    expect(await world.send("promote", { rollout: "cart" })).toMatchObject({
      result: "refused",
      message: expect.stringContaining("freeze: frozen by ann (incident 12)"),
    });
    expect(await world.send("promote", { rollout: "cart", override: true, reason: "the fix itself" })).toMatchObject({
      phase: "promoting",
    });
    expect(await world.send("abort", { rollout: "cart", reason: "wrong" })).toMatchObject({ phase: "rollingBack" });
    await world.phase("cart", "rolledBack");
    const promoted = (await world.audit("cart")).find(({ action }) => action === "promoting");
    expect(promoted?.reason).toContain("in spite of freeze: frozen by ann (incident 12)");

    expect(await world.send("unfreeze")).toMatchObject({ result: "done" });
    expect(await world.send("unfreeze")).toMatchObject({ result: "unchanged" });
    await world.phase("shop", "promoted");
    expect(await auditedOfMesh(world, 2)).toEqual(["freeze by ann", "unfreeze by ann"]);
  });

  test("rolls back by evidence what is frozen, and ends at its time", async ({ world }) => {
    await world.leader("a");
    const sidecar = await world.sidecar("one");
    await world.apply(documentOf("cart", { strategy: longStage }));
    await world.phase("cart", "stage");
    const untilMs = Date.now() + 3_600_000;
    await world.send("freeze", { untilMs });
    expect(await readFreeze(world.link)).toMatchObject({ untilMs, who: { name: "ann" } });
    sidecar.traffic.canaryFailed = 50;
    await world.phase("cart", "rolledBack");
    sidecar.traffic.canaryFailed = 0;
    expect(await world.send("freeze", { untilMs: 1 })).toMatchObject({ result: "invalid" });
    expect(await world.apply(documentOf("shop", { strategy: twoStages }))).toMatchObject({
      result: "done",
      message: expect.stringContaining("shop is queued, run 0, share 0%: frozen by ann until"),
    });
    expect(await world.send("retry", { rollout: "cart" })).toMatchObject({
      result: "refused",
      message: expect.stringContaining("cart begins nothing while all is frozen by ann until"),
    });
    expect(sidecar.manifest?.live).not.toHaveProperty("shop");
    await world.send("freeze", { untilMs: Date.now() + 1_500 });
    await world.phase("shop", "promoted");
  });
});

describe("the policy", () => {
  const closed = { never: [{ from: "2000-01-01", to: "2999-12-31", reason: "for good" }] };

  test("closes all rollouts by its calendar, and another one by name only those that ask for it", async ({ world }) => {
    const first = await world.leader("a");
    await world.sidecar("one");
    const policy = policyOf({ calendars: { office: closed } });
    expect(await world.send("apply", { document: policy })).toMatchObject({ result: "done", message: "apply: the policy is in force" });
    expect(await world.send("apply", { document: policy })).toMatchObject({ result: "unchanged" });
    await world.apply(documentOf("cart", { strategy: twoStages, calendar: "office" }));
    await world.apply(documentOf("shop", { strategy: twoStages }));
    await held(world, "cart", "window: closed by the calendar (for good)");
    await world.phase("shop", "promoted");
    expect(await world.send("apply", { document: policyOf() })).toMatchObject({
      result: "refused",
      message: "calendars: cart asks for office, which this policy lacks; keep it until cart has ended",
    });
    await first.stop();
    await world.leader("b");
    await world.send("apply", {
      document: policyOf({ calendar: closed, calendars: { office: { advanceOnly: [{}] } } }),
      reason: "holidays",
    });
    await world.apply(documentOf("mail", { strategy: twoStages }));
    await held(world, "mail", "window: closed by the calendar (for good)");
    await world.send("apply", { document: policyOf({ calendars: { office: { advanceOnly: [{}] } } }) });
    await world.phase("cart", "promoted");
    expect((await readPolicy(world.link))?.document).toEqual(policyOf({ calendars: { office: { advanceOnly: [{}] } } }));
    expect((await auditedOfMesh(world, 3)).length).toBe(3);
  });

  test("with a fault is refused, with where and what", async ({ world }) => {
    await world.leader("a");
    const document = { ...policyOf(), limits: { active: 0 } };
    expect(await world.send("apply", { document })).toMatchObject({
      result: "invalid",
      message: expect.stringContaining("limits.active: "),
    });
    expect(await readPolicy(world.link)).toBeUndefined();
  });

  test("gives rollouts what they do not say, and those that run keep it", async ({ world }) => {
    await world.leader("a");
    await world.send("apply", { document: policyOf({ defaults: { preset: "careful", onNewVersion: "queue" } }) });
    const document = documentOf("cart", { strategy: longStage });
    await world.apply(document);
    await world.send("apply", { document: policyOf({ defaults: { preset: "fast" } }) });
    expect(await world.apply(document)).toMatchObject({ result: "unchanged" });
  });
});

describe("rollouts of one service", () => {
  const service = { strategy: longStage, service: "shop", match: { hosts: ["shop.example"] } };

  test("run one after the other, in the order of their apply, through a fail-over", async ({ world }) => {
    const first = await world.leader("a");
    await world.sidecar("one");
    await world.apply(documentOf("v1", service));
    await world.phase("v1", "stage");
    expect(await world.apply(documentOf("v2", service))).toMatchObject({
      phase: "queued",
      message: "apply: v2 is queued, run 0, share 0%: number 1 in the queue of service shop, after v1",
    });
    await world.apply(documentOf("v3", service));
    await world.live("v3", "second", ({ plan }) => plan.phase === "queued" && plan.reason.startsWith("number 2 "));
    expect(Object.keys((await readRuleSet(world.link))?.ruleSet.rollouts ?? {})).toEqual(["v1"]);
    await first.stop();
    await world.leader("b");
    expect(await world.send("promote", { rollout: "v2" })).toMatchObject({ result: "refused" });
    await world.send("abort", { rollout: "v1" });
    const { plan } = await world.phase("v2", "stage");
    expect([plan.firstRun, plan.run]).toEqual([1, 2]);
    await world.live(
      "v3",
      "first",
      (live) => live.plan.phase === "queued" && live.plan.reason === "number 1 in the queue of service shop, after v2",
    );
    expect(await world.send("abort", { rollout: "v3" })).toMatchObject({ phase: "rolledBack" });
    expect((await world.audit("v3")).map(textOf)).toEqual(["apply by ann", "queued by ann", "rolledBack by ann"]);
  });
});

describe("a new version of a rollout that runs", () => {
  const version = (salt: string, onNewVersion: "queue" | "replace"): RolloutInput =>
    documentOf("cart", { strategy: longStage, salt, onNewVersion });

  test("waits where it says queue, through a fail-over, and begins when the one before has ended", async ({ world }) => {
    const first = await world.leader("a");
    await world.sidecar("one");
    await world.apply(version("one", "queue"));
    await world.phase("cart", "stage");
    const waiting = await world.apply(version("two", "queue"), { id: "apply-two" });
    expect(waiting).toMatchObject({ result: "done", message: "cart: the new version waits until the one that is stage has ended" });
    await first.stop();
    await world.leader("b");
    expect(await world.apply(version("two", "queue"), { id: "apply-two" })).toEqual(waiting);
    const before = await readLive(world.link, "cart");
    await world.send("abort", { rollout: "cart" });
    const after = await world.live(
      "cart",
      "the new version",
      (live) => live.planSequence !== before?.planSequence && live.plan.phase === "stage",
    );
    expect(after.plan.firstRun).toBeGreaterThan(before?.plan.run ?? 0);
  });

  test("takes the place of the one before where it says replace, which goes back first", async ({ world }) => {
    await world.leader("a");
    await world.sidecar("one");
    await world.apply(version("one", "replace"));
    const before = await world.phase("cart", "stage");
    await world.apply(version("two", "replace"));
    await world.live("cart", "the new version", (live) => live.planSequence !== before.planSequence && live.plan.phase === "stage");
    const expected = ["apply", "pending", "stage", "waits", "rollback", "rolledBack", "apply", "pending", "stage"];
    await waitFor("its audit", async () => {
      const actions = (await listAudit(world.link, "cart", 100)).map(({ action }) => action).filter((action) => action !== "begun");
      return actions.join() === expected.join() || undefined;
    });
  });
});

describe("rollouts that depend on each other", () => {
  test("come after one another, and say so", async ({ world }) => {
    await world.leader("a");
    await world.sidecar("one");
    expect(await world.apply(documentOf("cart", { after: ["db"] }))).toMatchObject({
      result: "refused",
      message: "after.0: no rollout is named db, no other was applied yet; apply it first, or in the same command",
    });
    await world.apply(documentOf("db", { strategy: longStage }));
    await world.apply(documentOf("cart", { strategy: twoStages, after: ["db"] }));
    await held(world, "cart", "dependency: comes after db, which is not promoted yet");
    await world.send("promote", { rollout: "db", full: true });
    await world.phase("cart", "promoted");
  });

  test("of a group take each step together, and go back together", async ({ world }) => {
    await world.leader("a");
    await world.sidecar("one");
    const together = { together: "shop" };
    const slow = canary({ share: "10%", minTime: "10s", minSample: 20 }, { share: "50%", minTime: "1h" });
    await world.apply(documentOf("pay", { strategy: slow, ...together }));
    await world.phase("pay", "stage");
    await world.apply(documentOf("cart", { strategy: twoStages, ...together }));
    await held(world, "cart", "group: group shop goes together, and pay cannot go on yet");
    expect((await readLive(world.link, "cart"))?.plan).toMatchObject({ phase: "stage", stage: 0 });
    expect(await world.send("promote", { rollout: "cart" })).toMatchObject({ result: "refused" });
    await world.live("pay", "in stage 2", ({ plan }) => plan.phase === "stage" && plan.stage === 1);
    await world.live("cart", "in stage 2", ({ plan }) => plan.phase === "stage" && plan.stage === 1);
    await world.send("abort", { rollout: "pay", reason: "smells" });
    const { plan } = await world.phase("cart", "rolledBack");
    expect(plan).toMatchObject({ reason: "pay of group shop went back: smells" });
  });
});
