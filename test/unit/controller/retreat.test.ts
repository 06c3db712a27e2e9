import { expect, test } from "vitest";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { documentOf } from "./builders.ts";
import { Play } from "./play.ts";

const change = {
  strategy: { type: "canary", stages: [{ share: "50%", minTime: "1h", minSample: 20 }] },
  retreat: { step: "20%", every: "1s" },
} satisfies Partial<RolloutInput>;
const document = documentOf("cart", change);

async function inStage(): Promise<Play> {
  const play = new Play(Number.POSITIVE_INFINITY);
  await play.apply(document);
  await play.until("in its stage", () => play.live?.plan.phase === "stage" && play.live.plan.begunAtMs !== null);
  return play;
}

/** Shares of the way back as the audit has them, in percent, when it is over. */
async function wayBack(play: Play): Promise<readonly string[]> {
  await play.until("rolled back", () => play.live?.plan.phase === "rolledBack");
  await play.until("audit complete", () => play.live?.outbox.length === 0);
  const steps = play.store.audit.filter(({ action, rollout }) => rollout === "cart" && (action === "rollback" || action === "retreat"));
  return steps.map(({ action, shareBp }) => `${action} ${Number(shareBp) / 100}`);
}

const left = (play: Play): number | undefined => (play.live?.plan.phase === "rollingBack" ? play.live.plan.left?.shareBp : undefined);

test("an abort takes the share back in steps, of which each has its time, whatever freeze there is", async () => {
  const play = await inStage();
  await play.send("freeze", { reason: "incident" });
  await play.send("abort");
  expect(play.manifest?.live["cart"]).toMatchObject({ shareBp: 3_000, off: false, sharesOnly: true });
  const beganMs = play.nowMs;
  expect(await wayBack(play)).toEqual(["rollback 30", "retreat 10", "retreat 0"]);
  expect(play.nowMs - beganMs).toBeGreaterThanOrEqual(2_000);
  expect(play.manifest?.live["cart"]).toMatchObject({ shareBp: 0, off: true });
});

test("a person, whoever signed an order to switch off, and requests that fail end the steps", async () => {
  const isAtOnce = ["rollback 30", "retreat 0"];
  const now = await inStage();
  await now.send("abort", { now: true });
  expect(await wayBack(now)).toEqual(["rollback 0"]);

  const again = await inStage();
  await again.send("abort");
  await again.send("abort", { id: "another-abort", reason: "worse than thought" });
  expect(await wayBack(again)).toEqual(isAtOnce);
  expect(again.live?.plan).toMatchObject({ reason: "by ann; then at once: worse than thought" });

  const killed = await inStage();
  await killed.send("abort");
  killed.killed = () => ({ format: 1, scope: { rollout: "cart" }, off: true, atMs: 1, who: "alice" });
  expect(await wayBack(killed)).toEqual(isAtOnce);

  const failing = await inStage();
  await failing.send("abort");
  failing.canaryFailed = 50;
  await failing.until("home", () => left(failing) === undefined);
  expect(await wayBack(failing)).toEqual(isAtOnce);
  expect(failing.live?.plan).toMatchObject({ reason: expect.stringMatching(/^by ann; then at once: errors/) });
});

test("a canary whose requests fail goes back at once, also where steps are asked for", async () => {
  const play = await inStage();
  play.canaryFailed = 50;
  expect(await wayBack(play)).toEqual(["rollback 0"]);
});

test("a sidecar that stops the canary in the midst of it ends the steps", async () => {
  const play = await inStage();
  play.others = ["other"];
  await play.send("abort");
  play.stopped = [{ rollout: "cart", run: play.live?.plan.run ?? 0, atMs: 5, failures: 5, users: 3 }];
  expect(await wayBack(play)).toEqual(["rollback 30", "retreat 0"]);
  expect(play.live?.plan).toMatchObject({ reason: expect.stringContaining("a sidecar stopped the canary by itself") });
});

test("another of the group goes back by its own steps, and once", async () => {
  const play = new Play(Number.POSITIVE_INFINITY);
  await play.send("apply", {
    rollout: "pay",
    document: documentOf("pay", { ...change, retreat: undefined, together: "shop" }),
    id: "pay-command",
  });
  await play.apply(documentOf("cart", { ...change, together: "shop" }));
  await play.until("in its stage", () => play.live?.plan.phase === "stage" && play.live.plan.begunAtMs !== null);
  await play.send("abort", { rollout: "pay" });
  expect(await wayBack(play)).toEqual(["rollback 30", "retreat 10", "retreat 0"]);
});

test("until it is over no other attempt begins", async () => {
  const play = await inStage();
  await play.send("abort");
  expect(await play.send("retry")).toMatchObject({ result: "refused" });
  expect(await play.send("apply", { id: "other-command", document: { ...document, salt: "two" } })).toMatchObject({ result: "refused" });
});
