import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { waitFor } from "../../src/demo/wait-for.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { plainVariant } from "../support/plain-bucketing.ts";
import {
  applyRollout,
  ask,
  connect,
  hasBegun,
  heldAt,
  rolloutOf,
  type Stack,
  startStack,
  users,
  waitForLive,
  waitForReceipt,
} from "../support/stack.ts";

const StatusSchema = z.object({
  leader: z.unknown(),
  sidecars: z.array(z.object({ id: z.string(), heard: z.boolean(), state: z.string().nullable() })),
  rollouts: z.array(z.object({ plan: z.object({ phase: z.string(), begunAtMs: z.number().nullable().optional() }) })),
});

const StateSchema = z.object({ state: z.string() });

const statusOf = async (stack: Stack, name: string) => StatusSchema.parse(JSON.parse((await stack.serin("status", name, "--json")).out));

describe("a rollout that waits for its sidecars", () => {
  let stack: Stack;
  let link: NatsLink;
  beforeAll(async () => {
    stack = await startStack();
    link = await connect(stack);
    await applyRollout(stack, rolloutOf("receipts", [{ share: "10%", minTime: "1h" }, { share: "20%" }]));
    await waitForLive(link, "receipts", hasBegun);
  });
  afterAll(async () => {
    await link.close();
    await stack.stop();
  });

  test("a stage does not begin while one sidecar is silent; status names it, and it begins when the sidecar is back", async () => {
    stack.sidecar(1).freeze();
    expect((await stack.serin("promote", "receipts")).code).toBe(0);
    const waiting = await waitForLive(link, "receipts", ({ plan, shareBp }) => plan.phase === "stage" && shareBp === 2_000);
    // The other sidecar has confirmed the new run; that must not be enough.
    await waitForReceipt(link, ({ sidecar, revision }) => sidecar === "sidecar-0" && revision >= waiting.revision.revision);
    // Status listens for a moment: who is late is not heard.
    const status = await waitFor(
      async () => {
        const found = await statusOf(stack, "receipts");
        return found.sidecars.some(({ id, heard }) => id === "sidecar-0" && heard) ? found : undefined;
      },
      { deadlineMs: 30_000, what: "status to hear the other sidecar" },
    );
    expect(status.sidecars.filter(({ heard }) => !heard).map(({ id }) => id)).toEqual(["sidecar-1"]);
    expect(status.rollouts[0]?.plan).toMatchObject({ phase: "stage", begunAtMs: null });
    stack.sidecar(1).resume();
    await waitForLive(link, "receipts", (state) => hasBegun(state) && state.shareBp === 2_000);
  });
});

describe("with the controller gone for good", () => {
  let stack: Stack;
  let link: NatsLink;
  const canaryUser = users(200).find((user) => plainVariant("watched", user, 5_000) === "canary") ?? "";
  beforeAll(async () => {
    stack = await startStack({ sidecarArgs: ["--stale-after", "1s", "--unwatched-after", "7s"] });
    link = await connect(stack);
    await applyRollout(stack, rolloutOf("watched", heldAt("50%")));
    await waitForLive(link, "watched", hasBegun);
  });
  afterAll(async () => {
    await link.close();
    await stack.stop();
  });

  test("sidecars say that they are stale, then send the canary's users home, and take them back when somebody watches again", async () => {
    expect((await ask(stack, canaryUser)).seen).toBe("canary");
    const stale = waitForReceipt(link, ({ state }) => state === "stale");
    const unwatched = waitForReceipt(link, ({ state }) => state === "unwatched");
    await stack.controller(0).kill();
    await stale;
    expect((await ask(stack, canaryUser)).seen).toBe("canary");
    await unwatched;
    await waitForSeen(stack, canaryUser, "stable");
    // Either of the two may have decided it.
    const metrics = await Promise.all([0, 1].map(async (index) => (await fetch(`${stack.sidecarUrl(index)}/metrics`)).text()));
    expect(metrics.join("")).toMatch(/serin_decisions_total\{[^}]*reason="unwatched"/);
    const ready = async () => {
      const answer = await fetch(`${stack.sidecarUrl(0)}/readyz`);
      return { status: answer.status, state: StateSchema.parse(await answer.json()).state };
    };
    const told = async () => ((await ready()).state === "unwatched" ? true : undefined);
    await waitFor(told, { deadlineMs: 15_000, what: "the first one to be unwatched too" });
    expect(await ready()).toEqual({ status: 200, state: "unwatched" });
    const status = await stack.serin("status", "watched");
    expect(status.out).toContain("no controller leads");
    const applied = await stack.serin("apply", "-f", `${stack.directory}/watched.yaml`);
    expect({ code: applied.code, says: applied.error }).toEqual({ code: 4, says: expect.stringContaining("no controller leads") });

    await stack.startController(0);
    await waitForSeen(stack, canaryUser, "canary");
  });
});

async function waitForSeen(stack: Stack, user: string, variant: "stable" | "canary"): Promise<void> {
  await waitFor(async () => ((await ask(stack, user)).seen === variant ? true : undefined), {
    deadlineMs: 30_000,
    what: `${user} to see ${variant}`,
  });
}
