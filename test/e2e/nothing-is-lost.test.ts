import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Command } from "../../src/contract/messages.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { readLease, sendCommand } from "../../src/io/store.ts";
import {
  applyRollout,
  auditOf,
  connect,
  hasBegun,
  type Load,
  rolloutOf,
  type Stack,
  startLoad,
  startStack,
  waitForLive,
} from "../support/stack.ts";

const FIRST = { share: "20%", minTime: "2s", minSample: 10 };
const SECOND = { share: "50%", minTime: "2s", minSample: 10 };

/** A canary is cold for a minute, and only then it can be shown not to be slower, which 100 % needs. */
const PROMOTED_WITHIN_MS = 180_000;

describe("a good canary under load", () => {
  let stack: Stack;
  let link: NatsLink;
  let load: Load;
  beforeEach(async () => {
    stack = await startStack({ controllers: 2 });
    link = await connect(stack);
    load = startLoad(stack, 150);
  });
  afterEach(async () => {
    await load.stop();
    await link.close();
    await stack.stop();
  });

  const stagesTaken = async (name: string): Promise<string[]> =>
    (await auditOf(link, name)).map(({ action, shareBp }) => `${action} ${shareBp ?? ""}`.trim());

  test("the controller killed in mid-stage is succeeded by the other, and the rollout ends as without", async () => {
    await applyRollout(stack, rolloutOf("succeeded", [FIRST, SECOND]));
    await waitForLive(link, "succeeded", hasBegun);
    const before = await readLease(link);
    await stack.controller(Number(before?.holder.at(-1))).kill();
    const promoted = await waitForLive(link, "succeeded", ({ plan }) => plan.phase === "promoted", PROMOTED_WITHIN_MS);
    const after = await readLease(link);
    expect(after?.holder).not.toBe(before?.holder);
    expect(after?.term).toBeGreaterThan(before?.term ?? 0);
    expect(promoted.shareBp).toBe(10_000);
    expect(load.seen.filter(({ status }) => status !== 200)).toEqual([]);
    // Each step once, in order: nothing was done twice by two leaders.
    const steps = await stagesTaken("succeeded");
    expect(steps.filter((step, index) => steps.indexOf(step) !== index)).toEqual([]);
    expect(promoted.plan.run).toBe(4);
  }, 240_000);

  test("a command sent again, to the next leader, gets the answer of before and is carried out once", async () => {
    const held = { minTime: "1h", minSample: 10 };
    const shares = ["10%", "20%", "30%"].map((share) => ({ share, ...held }));
    await applyRollout(stack, rolloutOf("once", shares));
    await waitForLive(link, "once", hasBegun);
    const command: Command = {
      format: 1,
      id: "promote-once",
      verb: "promote",
      rollout: "once",
      who: { name: "tester", claimed: true },
    };
    const answer = await sendCommand(link, command, 5_000);
    expect(answer).toMatchObject({ result: "done", run: 3 });
    const before = await readLease(link);
    await stack.controller(Number(before?.holder.at(-1))).kill();
    const repeated = await waitFor(() => sendCommand(link, command, 1_000), { deadlineMs: 20_000, what: "the next leader's answer" });
    expect((await readLease(link))?.holder).not.toBe(before?.holder);
    expect(repeated).toEqual(answer);
    const live = await waitForLive(link, "once", hasBegun);
    expect({ run: live.plan.run, shareBp: live.shareBp }).toEqual({ run: 3, shareBp: 2_000 });
    expect((await stagesTaken("once")).filter((step) => step === "stage 2000")).toHaveLength(1);
  });

  test("NATS killed and started again in mid-stage: the rollout goes on where it was", async () => {
    await applyRollout(stack, rolloutOf("resumed", [FIRST, { ...SECOND, minTime: "1h" }]));
    await waitForLive(link, "resumed", hasBegun);
    await stack.nats.kill();
    await stack.nats.restart();
    const next = await waitForLive(link, "resumed", (live) => hasBegun(live) && live.shareBp === 5_000, 60_000);
    expect(next.plan.run).toBe(3);
    expect(load.seen.filter(({ status }) => status !== 200)).toEqual([]);
  });

  test("a canary that fails is taken back by itself, and its users see stable", async () => {
    await applyRollout(stack, rolloutOf("taken-back", [{ share: "50%", minTime: "1h" }]));
    await waitForLive(link, "taken-back", hasBegun);
    stack.canary.failPart(1);
    const back = await waitForLive(link, "taken-back", ({ plan }) => plan.phase === "rolledBack");
    expect(back.plan).toMatchObject({ phase: "rolledBack", stragglers: [] });
    const endedMs = Date.now();
    await waitForLive(link, "taken-back", () => load.seen.some(({ startMs }) => startMs > endedMs + 500));
    expect(load.seen.filter(({ startMs, seen }) => startMs > endedMs && seen !== "stable")).toEqual([]);
    expect((await stack.serin("status", "taken-back")).code).toBe(3);
  });
});
