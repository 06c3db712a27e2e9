import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NatsLink } from "../../src/io/nats.ts";
import { plainVariant } from "../support/plain-bucketing.ts";
import {
  applyRollout,
  ask,
  askAll,
  connect,
  hasBegun,
  heldAt,
  rolloutOf,
  type Stack,
  startStack,
  users,
  waitForLive,
} from "../support/stack.ts";

const USERS = users(150);
const expected = USERS.map((user) => plainVariant("sticky", user, 3_000));

describe("at a share of 30 %", () => {
  let stack: Stack;
  let link: NatsLink;
  beforeAll(async () => {
    stack = await startStack();
    link = await connect(stack);
    await applyRollout(stack, rolloutOf("sticky", heldAt("30%")));
    await waitForLive(link, "sticky", hasBegun);
  });
  afterAll(async () => {
    await link.close();
    await stack.stop();
  });

  test("each user sees the variant of their bucket, on every refresh and through either sidecar", async () => {
    for (const _refresh of [1, 2, 3]) expect((await askAll(stack, USERS)).map(({ seen }) => seen)).toEqual(expected);
    const decided = await Promise.all([0, 1].map((index) => decisionsOf(stack, index)));
    expect(decided[0]).toBeGreaterThan(0);
    expect(decided[1]).toBeGreaterThan(0);
  });

  test("a restarted sidecar gives the same users the same variants", async () => {
    for (const index of [0, 1]) {
      await stack.sidecar(index).stop(10_000);
      await stack.startSidecar(index);
    }
    expect((await askAll(stack, USERS)).map(({ seen }) => seen)).toEqual(expected);
  });

  test("a client that sends Serin's headers changes nothing, and the upstream sees no value of the client's", async () => {
    const stableUser = USERS[expected.indexOf("stable")] ?? "";
    const canaryUser = USERS[expected.indexOf("canary")] ?? "";
    const forged = { "x-serin-variant": "canary", "x-serin-anything": "1", "X-Serin-Run": "9" };
    expect((await ask(stack, stableUser, forged)).seen).toBe("stable");
    expect(serinHeaders(stack.stable.lastHeaders())).toEqual({});
    expect((await ask(stack, canaryUser, { ...forged, "x-serin-variant": "stable" })).seen).toBe("canary");
    expect(serinHeaders(stack.canary.lastHeaders())).toEqual({ "x-serin-variant": "canary" });
  });

  test("a forged header changes nothing with every sidecar dead", async () => {
    await Promise.all([stack.sidecar(0).kill(), stack.sidecar(1).kill()]);
    const canaryUser = USERS[expected.indexOf("canary")] ?? "";
    const seen = await ask(stack, canaryUser, { "x-serin-variant": "canary" });
    expect({ status: seen.status, seen: seen.seen }).toEqual({ status: 200, seen: "stable" });
    expect(serinHeaders(stack.stable.lastHeaders())).toEqual({});
  });
});

async function decisionsOf(stack: Stack, index: number): Promise<number> {
  const text = await (await fetch(`${stack.sidecarUrl(index)}/metrics`)).text();
  return text
    .split("\n")
    .filter((line) => line.startsWith("serin_decisions_total{"))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

const serinHeaders = (headers: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("x-serin-")));
