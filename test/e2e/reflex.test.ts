import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../../src/demo/wait-for.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { listAudit, readLive } from "../../src/io/store.ts";
import {
  applyRollout,
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

const NAME = "reflex";
let stack: Stack;
let link: NatsLink;
beforeAll(async () => {
  stack = await startStack({ sidecars: 1 });
  link = await connect(stack);
});
afterAll(async () => {
  await link.close();
  await stack.stop();
});

const onCanary = async (): Promise<number> => {
  const before = stack.canary.seen.requests;
  await askAll(stack, users(60));
  return stack.canary.seen.requests - before;
};

test("a sidecar stops a dead canary with nobody who leads, keeps it stopped until a new run, and the next leader hears of it", async () => {
  await applyRollout(stack, { ...rolloutOf(NAME, heldAt("50%")), reflex: { failures: 5, users: 3 } });
  await waitForLive(link, NAME, hasBegun);
  await waitFor(async () => (await onCanary()) > 10, { deadlineMs: 20_000, what: "users on the canary" });
  await stack.controller(0).kill();
  stack.canary.failPart(1);
  await waitFor(async () => (await onCanary()) === 0, { deadlineMs: 20_000, what: "nobody on the canary" });
  // It is well again, and stays stopped all the same.
  stack.canary.failPart(0);
  expect(await onCanary()).toBe(0);
  expect((await readLive(link, NAME))?.plan.phase).toBe("stage");

  await stack.startController(0);
  const state = await waitForLive(link, NAME, ({ plan }) => plan.phase === "rolledBack");
  expect(state.plan).toMatchObject({ reason: expect.stringMatching(/every known sidecar stopped the canary by itself|errors|newly/) });
  const audit = await waitFor(async () => (await listAudit(link, NAME, 20)).find(({ action }) => action === "reflex"), {
    deadlineMs: 10_000,
    what: "the audit of the reflex",
  });
  expect(audit).toMatchObject({ who: { name: "sidecar sidecar-0" }, reason: expect.stringContaining("it stopped the canary by itself: ") });
});
