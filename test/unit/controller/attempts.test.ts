import { describe, expect, test } from "vitest";
import { documentOf } from "./builders.ts";
import { Play } from "./play.ts";

const document = documentOf("cart");
const newer = documentOf("cart", { variants: { stable: { cluster: "cart-stable" }, canary: { cluster: "cart-v3" } } });
const ann = { name: "ann", claimed: true };

/** A rollout that was rolled back for its failures, which are over. */
async function failed(play: Play): Promise<void> {
  await play.apply(document);
  await play.until("in its stage", () => play.live?.plan.phase === "stage");
  play.canaryFailed = 50;
  await play.until("rolled back", () => play.live?.plan.phase === "rolledBack");
  play.canaryFailed = 0;
}

async function handedOver(play: Play, plan: typeof document, id: string): Promise<void> {
  await play.apply(plan, id);
  await play.until("promoted", () => play.live?.plan.phase === "promoted");
  await play.send("handover", { id: `handover of ${id}`.replaceAll(" ", "-") });
}

const audit = ({ store }: Play): string[] => store.audit.map(({ action, run }) => `${action} run ${run}`);

/** The same twice: undisturbed, and with the leader killed before each write of what is looked at. */
async function everywhere(before: (play: Play) => Promise<void>, looked: (play: Play) => Promise<unknown>): Promise<number> {
  const undisturbed = new Play(Number.POSITIVE_INFINITY);
  await before(undisturbed);
  const from = undisturbed.store.writes;
  const expected = await looked(undisturbed);
  const writes = undisturbed.store.writes - from;
  for (let allowed = from; allowed < undisturbed.store.writes; allowed += 1) {
    const play = new Play(allowed);
    await before(play);
    expect({ allowed, ...Object(await looked(play)) }).toEqual({ allowed, ...Object(expected) });
  }
  return writes;
}

describe("retry", () => {
  test("tries the same plan again with new runs, and the judge begins anew", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await failed(play);
    const run = play.live?.plan.run ?? 0;
    expect(await play.send("retry", { reason: "flaky disk" })).toMatchObject({
      result: "done",
      message: `retry: cart is pending, run ${run + 1}, share 0%`,
    });
    expect(play.live).toMatchObject({
      plan: { phase: "pending", run: run + 1, firstRun: run + 1 },
      asked: { verb: "retry", who: ann, reason: "flaky disk" },
    });
    expect(play.judged).toMatchObject({ firstRun: run + 1, verdict: null });
    await play.until("promoted", () => play.live?.plan.phase === "promoted");
    expect(play.store.plans).toBe(1);
  });

  test("is done once, wherever the leader is killed", async () => {
    const writes = await everywhere(failed, async (play) => {
      await play.send("retry");
      await play.until("promoted", () => play.live?.plan.phase === "promoted");
      await play.until("audit complete", () => play.live?.outbox.length === 0);
      return { audit: audit(play), run: play.live?.plan.run, plans: play.store.plans };
    });
    expect(writes).toBeGreaterThan(8);
  });

  test("is refused while it is under way, while an order switches it off, and beside another that governs the same", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await play.apply(document);
    expect(await play.send("retry", { id: "too-early" })).toMatchObject({ result: "refused" });
    await play.send("abort");
    await play.until("rolled back", () => play.live?.plan.phase === "rolledBack");
    play.killed = () => ({ format: 1, scope: { rollout: "cart" }, off: true, atMs: 0, who: "bob" });
    expect(await play.send("retry", { id: "while-killed" })).toMatchObject({
      result: "refused",
      message: "cart is switched off by bob; lift that first by `serin kill --lift`",
    });
    play.killed = () => undefined;
    await play.send("apply", {
      id: "of-the-other",
      rollout: "basket",
      document: documentOf("basket", { match: { hosts: ["cart.example"] } }),
    });
    expect(await play.send("retry", { id: "beside-it" })).toMatchObject({
      result: "refused",
      message:
        "cart and basket would both govern the same host and path; end basket first, give them different matches, or the same service, so that the later one waits",
    });
  });
});

describe("undo", () => {
  const both = async (play: Play): Promise<void> => {
    await handedOver(play, document, "first-plan");
    await handedOver(play, newer, "second-plan");
  };

  test("before a hand-over is the way back, and says who asked and why", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await play.apply(document);
    await play.until("promoted", () => play.live?.plan.phase === "promoted");
    expect(await play.send("undo", { reason: "wrong prices" })).toMatchObject({ result: "done", phase: "rollingBack" });
    expect(play.live).toMatchObject({ plan: { reason: "wrong prices" }, asked: { verb: "undo", who: ann, reason: "wrong prices" } });
  });

  test("after a hand-over gives everyone the plan before as soon as its rules are confirmed", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await both(play);
    expect(await play.send("undo", { reason: "wrong prices" })).toMatchObject({ result: "done", phase: "pending" });
    await play.until("promoted", () => play.live?.plan.phase === "promoted");
    expect(play.live).toMatchObject({ shareBp: 10_000, asked: { verb: "undo" } });
    expect(play.plan(3)).toMatchObject({
      document,
      who: ann,
      reason: expect.stringMatching(/^wrong prices; back from plan \d+ to plan \d+$/),
      atOnce: true,
    });
    expect(
      audit(play)
        .slice(-4)
        .map((line) => line.split(" ")[0]),
    ).toEqual(["undo", "pending", "promoting", "promoted"]);
  });

  test("is done once, wherever the leader is killed", async () => {
    const writes = await everywhere(both, async (play) => {
      await play.send("undo");
      await play.until("promoted", () => play.live?.plan.phase === "promoted");
      await play.until("audit complete", () => play.live?.outbox.length === 0);
      return { audit: audit(play), run: play.live?.plan.run, plans: play.store.plans };
    });
    expect(writes).toBeGreaterThan(8);
  });

  test("after a hand-over is refused where every plan before is the same", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await handedOver(play, document, "first-plan");
    await handedOver(play, document, "second-plan");
    const reply = await play.send("undo");
    expect(reply).toMatchObject({ result: "refused", phase: "handedOver" });
    expect(reply.message).toContain("no plan before this one names another");
  });

  test("after a hand-over is refused beside another that governs the same", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await both(play);
    await play.send("apply", {
      id: "of-the-other",
      rollout: "basket",
      document: documentOf("basket", { match: { hosts: ["cart.example"] } }),
    });
    expect(await play.send("undo")).toMatchObject({ result: "refused", phase: "handedOver" });
  });
});

test("undo is refused where the plan before was a test of several variants: nothing says which of them everyone had", async () => {
  const play = new Play(Number.POSITIVE_INFINITY);
  const variants = { stable: { cluster: "s" }, a: { cluster: "a" }, b: { cluster: "b" } };
  await play.apply(
    documentOf("cart", { variants, strategy: { type: "abTest", shares: { a: "10%", b: "10%" }, time: "1d" } }),
    "test-command",
  );
  await play.until("in its test", () => play.live?.plan.phase === "trial");
  await play.send("promote", { full: true, variant: "b" });
  await play.until("promoted", () => play.live?.plan.phase === "promoted");
  await play.send("handover", { id: "first-handover" });
  await play.apply(document);
  await play.until("promoted", () => play.live?.plan.phase === "promoted");
  await play.send("handover", { id: "second-handover" });
  expect(await play.send("undo")).toMatchObject({
    result: "refused",
    message: "the plan before was a test of a and b, of which everyone may have had either; apply cart with the version that you want",
  });
});
