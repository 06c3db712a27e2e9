import { describe, expect } from "vitest";
import type { LiveState } from "../../../src/contract/live.ts";
import { METRICS, SUBJECTS } from "../../../src/contract/names.ts";
import { readState } from "../../../src/io/nats.ts";
import { readLive } from "../../../src/io/store.ts";
import { plainVariant } from "../../support/plain-bucketing.ts";
import { decidedFor, startTestSidecar, type TestSidecar, waitForVariant } from "../../support/sidecar.ts";
import { runWith } from "../../unit/cli/cli-parts.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { type Cuttable, startCuttable } from "./cuttable.ts";
import { waitFor } from "./wait.ts";
import { test, type World } from "./world.ts";

/** In a longer one than this test the next step comes by hand. */
const document = documentOf("cart", {
  match: { hosts: ["shop.example"] },
  strategy: {
    type: "canary",
    stages: [
      { share: "20%", minTime: "1h" },
      { share: "60%", minTime: "1h" },
    ],
  },
});
const usersWho = (first: string, then: string): string =>
  Array.from({ length: 200 }, (_, index) => `user-${index}`).find(
    (user) => plainVariant("cart", user, 2_000) === first && plainVariant("cart", user, 6_000) === then,
  ) ?? "";
/** Who gets the canary in the second stage, and who has it from the first on. */
const [next, early] = [usersWho("stable", "canary"), usersWho("canary", "canary")];

const hasBegun = ({ plan }: LiveState): boolean => plan.phase === "stage" && plan.begunAtMs !== null;
const status = async (world: World): Promise<string> =>
  (await runWith(["status", "cart", "--nats", world.server.url], { nowMs: Date.now })).out;
const waitForStatus = (world: World, what: RegExp) => waitFor(`status ${what}`, async () => what.test(await status(world)) || undefined);

async function relayOf(world: World): Promise<Cuttable & { readonly url: string }> {
  const relay = await startCuttable(world.server.port);
  world.closing(() => relay.close());
  return { ...relay, url: `nats://127.0.0.1:${relay.port}` };
}

async function sidecarAt(world: World, nats: string): Promise<TestSidecar> {
  const sidecar = await startTestSidecar({ id: "other", source: { nats } });
  world.closing(() => sidecar.stop());
  return sidecar;
}

/** The rollout in its first stage, with a sidecar that hears and says what the relay makes of it. */
async function inStage(world: World) {
  await world.leader("a");
  const relay = await relayOf(world);
  await world.sidecar("one");
  const sidecar = await sidecarAt(world, relay.url);
  await world.knows("one", "other");
  await world.apply(document);
  await world.live("cart", "in its first stage", hasBegun);
  await waitForVariant(sidecar, early, "canary");
  return { relay, sidecar };
}

describe("a sidecar that is older than the rules", () => {
  test.for([
    { what: "a format", known: '{"format":1,"payload"', newer: '{"format":2,"payload"', said: /other refuses rules: .*format/ },
    {
      what: "a word",
      known: String.raw`\"whenUnwatched\":\"stable\"`,
      newer: String.raw`\"whenUnwatched\":\"steady\"`,
      said: /other refuses rules: .*whenUnwatched/,
    },
  ])("goes on with those it has where $what is new, says why, and is waited for until it is upgraded", async (one, { world }) => {
    const { relay, sidecar } = await inStage(world);
    relay.alter("server", one.known, one.newer);
    expect(await world.ask("promote", { rollout: "cart" })).toMatchObject({ result: "done" });
    await waitForStatus(world, one.said);
    await waitForStatus(world, /waiting for other/);
    expect([await decidedFor(sidecar, early), await decidedFor(sidecar, next)]).toEqual(["canary", "stable"]);
    expect(await sidecar.metrics()).toMatch(new RegExp(`^${METRICS.rulesRejected}(\\{.*\\})? [1-9]`, "m"));

    await sidecar.beginStop();
    const upgraded = await sidecarAt(world, world.server.url);
    await world.live("cart", "in its second stage", hasBegun);
    await waitForVariant(upgraded, next, "canary");
    expect(await status(world)).not.toContain("refuses rules");
  });
});

test("a controller that is older than receipts takes their sidecar for silent: no run begins, and the way back is open", async ({
  world,
}) => {
  const { relay, sidecar } = await inStage(world);
  relay.alter("client", '"state":"ok"', '"state":"on"');
  expect(await world.ask("promote", { rollout: "cart" })).toMatchObject({ result: "done" });
  await waitForVariant(sidecar, next, "canary");
  await waitForStatus(world, /waiting for other/);
  expect((await readLive(world.link, "cart"))?.plan).toMatchObject({ phase: "stage", begunAtMs: null });
  expect(await world.ask("abort", { rollout: "cart", reason: "wrong" })).toMatchObject({ result: "done" });
  await waitForVariant(sidecar, next, "stable");
});

test("a controller that is older than what one before it stored leaves that rollout's users on stable, and the next one goes on", async ({
  world,
}) => {
  const newer = await world.leader("a");
  const sidecar = await sidecarAt(world, world.server.url);
  await world.knows("other");
  await world.apply(document);
  const before = await world.live("cart", "in its first stage", hasBegun);
  await waitForVariant(sidecar, early, "canary");
  await newer.stop();
  const stored = Buffer.from((await readState(world.link, SUBJECTS.live("cart")))?.data ?? []).toString();
  expect(stored).toContain('"phase":"stage"');
  await world.link.jetstream.publish(SUBJECTS.live("cart"), stored.replace('"phase":"stage"', '"phase":"stake"'));

  const older = await world.leader("b");
  await waitForVariant(sidecar, early, "stable");
  await older.stop();

  await world.link.jetstream.publish(SUBJECTS.live("cart"), stored);
  await world.leader("c");
  await waitForVariant(sidecar, early, "canary");
  expect((await readLive(world.link, "cart"))?.plan).toEqual(before.plan);
});

test("a command line that is older than what is stored says so where it would show it, and its verbs work", async ({ world }) => {
  const { relay } = await inStage(world);
  relay.alter("server", '"phase":"stage"', '"phase":"stake"');
  expect(await runWith(["status", "cart", "--nats", relay.url])).toMatchObject({
    code: 1,
    out: "",
    error:
      "the value at serin.state.live.cart cannot be read: a newer version wrote it, or it was altered; use the newest version that runs here\n",
  });
  expect(await runWith(["pause", "cart", "--nats", relay.url], { newId: () => crypto.randomUUID() })).toMatchObject({ code: 0 });
  await world.phase("cart", "paused");
});
