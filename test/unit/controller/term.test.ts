import { describe, expect, test } from "vitest";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { VariantReportSchema } from "../../../src/contract/variant-report.ts";
import { Play } from "./play.ts";
import { badOne, document, goodOne, story } from "./stories.ts";

describe("a good rollout", () => {
  test("goes from stage to stage to the hand-over, and its audit tells it in order", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await goodOne(play);
    expect(story(play)).toEqual({
      audit: [
        "apply run 1 share 0",
        "pending run 1 share 0",
        "stage run 2 share 1000",
        "begun run 2 share 1000",
        "stage run 3 share 5000",
        "begun run 3 share 5000",
        "promoting run 4 share 10000",
        "promoted run 4 share 10000",
        "handedOver run 4 share 0",
      ],
      phase: "handedOver",
      run: 4,
      isPublished: true,
      // At rest: everyone to stable, and users who fail are counted still.
      rules: { cart: { run: 4, shareBp: 0, off: true, whenUnwatched: "stable" } },
    });
  });
});

describe("a bad rollout", () => {
  test("is taken back with a manifest that is off, and the verdict stands in the audit", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await badOne(play);
    expect(story(play)).toMatchObject({
      phase: "rolledBack",
      run: 3,
      rules: { cart: { run: 3, shareBp: 0, off: true } },
    });
    expect(play.store.audit.find(({ action }) => action === "rollback")).toMatchObject({
      who: { name: "controller a", claimed: false },
      detail: { verdict: "rollback" },
    });
  });
});

/** Plays until the first leader is killed, for each write that it may be killed before. */
async function killedAt(each: (play: Play, allowed: number) => Promise<void>): Promise<void> {
  for (let allowed = 0; allowed < 12; allowed += 1) {
    const play = new Play(allowed);
    if (allowed > 0) await play.turn();
    play.post({ format: 1, id: "apply-command", verb: "apply", rollout: "cart", document, who: { name: "ann", claimed: true } });
    for (let turns = 0; turns < 10 && !play.isKilled; turns += 1) await play.turn();
    expect({ allowed, isKilled: play.isKilled }).toEqual({ allowed, isKilled: true });
    await each(play, allowed);
  }
}

describe("a new leader", () => {
  test("publishes what live state says before it has heard anyone", async () => {
    await killedAt(async (play, allowed) => {
      await play.succeed();
      const { live, manifest } = play;
      expect({ allowed, run: manifest?.live["cart"]?.run, revision: manifest?.revision ?? 0 }).toMatchObject({ run: live?.plan.run });
      expect(manifest?.revision ?? 0).toBeGreaterThanOrEqual(live?.revision.revision ?? 0);
    });
  });

  test("begins a plan that was stored and not yet obeyed, though nobody asks again", async () => {
    let begun = 0;
    await killedAt(async (play) => {
      if (play.store.plans === 0) return;
      await play.until("promoted", () => play.live?.plan.phase === "promoted");
      begun += 1;
    });
    expect(begun).toBeGreaterThan(5);
  });

  test("goes on from what the judge knew, though series of past runs come no more", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    play.sendsCurrentRunOnly = true;
    await play.apply(document);
    await play.until("in stage 2", () => play.live?.plan.run === 3 && (play.judged?.verdict?.run ?? 0) === 3);
    const before = play.judged?.totals.stable.decided ?? 0;
    play.kill();
    await play.turn();
    await play.until("a new record", () => (play.judged?.totals.stable.decided ?? 0) !== before);
    expect(play.judged?.totals.stable.decided).toBeGreaterThan(before);
  });
});

test("a leader that slept goes back for no sidecar that had no time to confirm since it woke, and for one that had", async () => {
  const play = new Play(Number.POSITIVE_INFINITY);
  play.ahead = { epoch: 0, revision: 0 };
  await play.apply({ ...document, stragglers: { after: "5s", action: "rollback" } });
  await play.turn();
  play.nowMs += 60_000;
  const wokeMs = play.nowMs;
  await play.turn();
  expect(play.live?.plan.phase).toBe("pending");
  await play.until("on its way back", () => play.live?.plan.phase === "rollingBack");
  expect(play.nowMs - wokeMs).toBeGreaterThanOrEqual(5_000);
});

describe("a command", () => {
  test("that ends a test right after a takeover brings a report of what the leader before knew", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await play.apply({ ...document, strategy: { type: "abTest", shares: { canary: "30%" }, time: "14d" } });
    await play.until("counts on record", () => (play.judged?.variants?.["canary"]?.requests ?? 0) > 0);
    play.kill();
    await play.succeed();
    await play.send("abort");
    await play.until("the report", () => play.store.audit.some(({ action }) => action === "report"));
    const { detail } = play.store.audit.find(({ action }) => action === "report") ?? {};
    expect(VariantReportSchema.parse(detail).measures[0]?.stable.all).toBeGreaterThan(0);
  });

  test("that is repeated gets the same answer and is carried out once, also by the next leader", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await play.apply(document);
    await play.until("in its stage", () => play.live?.plan.phase === "stage");
    const first = await play.send("pause", { id: "the-same-id", reason: "lunch" });
    expect(first).toMatchObject({ result: "done", phase: "paused" });
    play.replies.clear();
    play.kill();
    await play.turn();
    expect([await play.send("pause", { id: "the-same-id" }), play.terms]).toEqual([first, 2]);
    expect(await play.send("pause", { id: "another-id" })).toMatchObject({ result: "refused", phase: "paused" });
  });

  test("to forget a sidecar that is repeated gets the same answer, also by the next leader that knows it no more", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    play.others = ["gone"];
    await play.apply(document);
    await play.until("in its stage", () => play.live?.plan.phase === "stage");
    play.others = [];
    const first = await play.send("forget", { sidecar: "gone" });
    expect(first).toMatchObject({ result: "done", message: "sidecar gone is forgotten; if it reports again, it counts again" });
    play.replies.clear();
    play.kill();
    await play.turn();
    expect(await play.send("forget", { sidecar: "gone" })).toEqual(first);
    expect(await play.send("forget", { sidecar: "gone", id: "another-id" })).toMatchObject({ result: "invalid" });
    await play.until("its audit", () => play.store.audit.some(({ action }) => action === "forget"));
    const lines = play.store.audit.flatMap(({ action, rollout = "the mesh" }) => (action === "forget" ? [rollout] : []));
    expect(lines.toSorted()).toEqual(["cart", "the mesh"]);
  });

  test("for an unknown rollout is refused with the names that are known", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await play.apply(document);
    const reply = await play.send("pause", { rollout: "shop" });
    expect(reply).toMatchObject({ result: "refused", message: "no rollout is named shop; known are: cart" });
  });

  test("to apply says without doing so what a dry run would do", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    expect(await play.send("apply", { document, dryRun: true })).toMatchObject({
      result: "done",
      message: "cart is valid and would begin run 1",
    });
    expect(play.live).toBeUndefined();
  });

  test("to apply whose plan was stored but not answered for is carried out once when it comes again", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await play.turn();
    play.store.losesNextAnswer = true;
    expect(await play.apply(document)).toMatchObject({ id: "apply-command", result: "failed" });
    play.replies.clear();
    expect(await play.apply(document)).toMatchObject({ result: "done", phase: "pending", run: 1 });
    expect(play.store.plans).toBe(1);
  });

  test("to apply again after the end begins with the next run", async () => {
    const play = new Play(Number.POSITIVE_INFINITY);
    await badOne(play);
    play.canaryFailed = 0;
    expect(await play.apply(document, "apply-again")).toMatchObject({ result: "done", phase: "pending", run: 4 });
    expect(play.live?.plan).toMatchObject({ run: 4, firstRun: 4 });
    await play.until("promoted", () => play.live?.plan.phase === "promoted");
  });
});

test.each([Number.POSITIVE_INFINITY, "serin.state.freeze", "audit of the mesh: forget, run undefined"])(
  "a sidecar that is forgotten where there is no rollout leaves one line in the audit of the mesh, killed before %s",
  async (killedBefore) => {
    const play = new Play(killedBefore);
    await play.until("a known sidecar", () => play.store.read(SUBJECTS.fleet) !== undefined);
    const reply = await play.send("forget", { ...Object({ rollout: undefined }), sidecar: "side", reason: "broken" });
    expect(reply.result).toBe("done");
    for (let turns = 0; turns < 5; turns += 1) await play.turn();
    expect(play.store.audit).toMatchObject([
      { id: "forget-forget-command", action: "forget", reason: "sidecar side: broken", who: { name: "ann" } },
    ]);
    expect(play.store.audit[0]).not.toHaveProperty("rollout");
  },
);

test("a store that lost writes is outranked by a new epoch, and rollouts go on", async () => {
  const play = new Play(Number.POSITIVE_INFINITY);
  await play.apply(document);
  const before = play.manifest;
  play.ahead = { epoch: (before?.epoch ?? 0) + 5, revision: 70 };
  await play.turn();
  play.ahead = undefined;
  await play.until("a new epoch", () => (play.manifest?.epoch ?? 0) > (before?.epoch ?? 0) + 5);
  await play.until("promoted", () => play.live?.plan.phase === "promoted");
  expect(play.manifest?.epoch).toBeGreaterThan((before?.epoch ?? 0) + 5);
});
