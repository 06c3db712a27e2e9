import { afterAll, beforeAll, expect, test } from "vitest";
import type { RolloutInput } from "../../src/contract/rollout.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import {
  applyRollout,
  ask,
  auditOf,
  connect,
  hasBegun,
  heldAt,
  type Load,
  rolloutOf,
  type Stack,
  startLoad,
  startStack,
  users,
  waitForLive,
} from "../support/stack.ts";

const TESTER = { "x-tester": "yes" };
const PEOPLE = users(150);

let stack: Stack;
let link: NatsLink;
let load: Load | undefined;
beforeAll(async () => {
  stack = await startStack();
  link = await connect(stack);
});
afterAll(async () => {
  await load?.stop();
  await link.close();
  await stack.stop();
});

const documentOf = (name: string, every: string): RolloutInput => ({
  ...rolloutOf(name, heldAt("60%")),
  targets: [{ name: "testers", when: { header: { name: "x-tester", exact: "yes" } }, variant: "canary" }],
  retreat: { step: "20%", every },
});

const onCanary = async (): Promise<ReadonlySet<string>> => {
  const answers = await Promise.all(PEOPLE.map((user) => ask(stack, user)));
  return new Set(PEOPLE.filter((_, index) => answers[index]?.seen === "canary"));
};

const leftAt = (name: string, shareBp: number) =>
  waitForLive(link, name, ({ plan }) => plan.phase === "rollingBack" && plan.left?.shareBp === shareBp && plan.left.begunAtMs !== null);

/** The way back, as the audit tells it: what happened, at which share, and when. */
const wayBack = async (name: string) => {
  await waitForLive(link, name, ({ plan }) => plan.phase === "rolledBack", 60_000);
  return (await auditOf(link, name)).filter(({ action }) => action === "rollback" || action === "retreat");
};

test("users go back to a stable that can take a fifth of them at once, those who came last first, and testers at once", async () => {
  const name = "gentle";
  // Longer than it takes to look at a step.
  await applyRollout(stack, documentOf(name, "12s"));
  await waitForLive(link, name, hasBegun);
  const before = await onCanary();
  const [outside = ""] = PEOPLE.filter((user) => !before.has(user));
  expect((await ask(stack, outside, TESTER)).seen).toBe("canary");

  expect((await stack.serin("abort", name, "--reason", "wrong prices")).code).toBe(0);
  await leftAt(name, 4_000);
  const then = await onCanary();
  expect((await ask(stack, outside, TESTER)).seen).toBe("stable");
  expect((await stack.serin("status", name)).out).toContain(
    "rolling back in steps, 40 % left, `serin abort` ends it at once (wrong prices)",
  );
  await leftAt(name, 2_000);
  const last = await onCanary();
  expect([before.size > then.size, then.size > last.size, last.size > 0]).toEqual([true, true, true]);
  expect([[...then].every((user) => before.has(user)), [...last].every((user) => then.has(user))]).toEqual([true, true]);

  const steps = await wayBack(name);
  expect(steps.map(({ action, shareBp }) => `${action} ${shareBp}`)).toEqual(["rollback 4000", "retreat 2000", "retreat 0"]);
  const betweenMs = steps.slice(1).map(({ atMs }, index) => atMs - Number(steps[index]?.atMs));
  expect(betweenMs.every((ms) => ms >= 12_000)).toBe(true);
  expect((await onCanary()).size).toBe(0);
});

test("a person ends it at once", async () => {
  const name = "ended";
  await applyRollout(stack, documentOf(name, "10m"));
  await waitForLive(link, name, hasBegun);
  await stack.serin("abort", name);
  await leftAt(name, 4_000);
  expect((await stack.serin("abort", name, "--now", "--reason", "worse than thought")).code).toBe(0);
  expect((await wayBack(name)).map(({ shareBp }) => shareBp)).toEqual([4_000, 0]);
  expect((await onCanary()).size).toBe(0);
});

test("a canary that begins to fail on its way back in steps is taken back at once", async () => {
  const name = "failing";
  load = startLoad(stack, 200);
  await applyRollout(stack, documentOf(name, "10m"));
  await waitForLive(link, name, hasBegun);
  await stack.serin("abort", name);
  await leftAt(name, 4_000);
  stack.canary.failPart(1);
  const [first, second] = await wayBack(name);
  stack.canary.failPart(0);
  expect([first?.shareBp, second?.shareBp, second?.reason]).toEqual([
    4_000,
    0,
    expect.stringMatching(/^at once: (errors|newly failing users)/),
  ]);
});
