import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Phase } from "../../src/contract/live.ts";
import type { RolloutPicture } from "../../src/contract/picture.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { plainVariant } from "../support/plain-bucketing.ts";
import { applyRollout, ask, connect, hasBegun, heldAt, rolloutOf, type Stack, startStack, users, waitForLive } from "../support/stack.ts";

const NAME = "broken";
const onCanary = users(200).filter((user) => plainVariant(NAME, user, 3_000) === "canary");
const [first = "", second = "", ...others] = onCanary;
/** Two clients that the share brings to the canary, and whom nobody else's failures concern. */
const PINNED = [first, second];
const GOOD = [
  ...others.slice(0, 6),
  ...users(200)
    .filter((user) => !onCanary.includes(user))
    .slice(0, 14),
];

/** With the tolerances that a user gets without asking. */
const { checks: _, ...STANDARD } = rolloutOf(NAME, heldAt("30%"));

describe("two clients on the canary's side fail", () => {
  let stack: Stack;
  let link: NatsLink;
  beforeEach(async () => {
    stack = await startStack();
    link = await connect(stack);
    await applyRollout(stack, STANDARD);
    await waitForLive(link, NAME, hasBegun);
    // At rest stable answers, and sidecars learn who fails anyhow.
    await stack.serin("abort", NAME);
    await inPhase("rolledBack");
  });
  afterEach(async () => {
    await link.close();
    await stack.stop();
  });

  const inPhase = (phase: Phase) => waitForLive(link, NAME, ({ plan }) => plan.phase === phase);

  /** Requests of everybody, so many times; those of the two fail at these upstreams. */
  async function everybodyAsks(times: number, failing: readonly ("stable" | "canary")[]): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      for (const user of GOOD) await ask(stack, user);
      for (const variant of failing) stack[variant].failPart(1);
      for (const user of PINNED) await ask(stack, user);
      for (const variant of failing) stack[variant].failPart(0);
    }
  }

  /** Begins when the controller has heard of both: at rest a sidecar tells every few seconds. */
  async function secondAttempt(): Promise<void> {
    await pictureWith((picture) => picture.failingUsers?.known === PINNED.length);
    await applyRollout(stack, STANDARD);
    await waitForLive(link, NAME, (live) => hasBegun(live) && live.plan.firstRun > 2);
  }

  const pictureWith = (holds: (picture: RolloutPicture) => boolean): Promise<RolloutPicture> =>
    waitFor(
      async () => {
        const picture: RolloutPicture = JSON.parse((await stack.serin("status", NAME, "--json")).out).rollouts[0];
        return holds(picture) ? picture : undefined;
      },
      { deadlineMs: 30_000, what: "the status to be as wanted" },
    );

  test("and failed at the same pace before: the canary goes on", async () => {
    await everybodyAsks(40, ["stable", "canary"]);
    await secondAttempt();
    await everybodyAsks(40, ["stable", "canary"]);
    const { plan, judge, failingUsers } = await pictureWith(
      (picture) => (picture.failingUsers?.canary.requests ?? 0) >= 80 && (picture.judge?.totals.canary.failed ?? 0) >= 80,
    );
    expect([plan.phase, judge?.totals.canary.failed]).toEqual(["stage", 80]);
    expect(failingUsers?.canary).toMatchObject({ distinct: 2, newlyFailing: 0, requests: 80, knownRequests: 80 });
    expect(judge?.verdict?.verdict).not.toBe("rollback");
    expect(judge?.verdict?.checks.find(({ name }) => name === "errors")?.canary).toBe(0);
  });

  test("always, where they failed once before: the canary goes back", async () => {
    await everybodyAsks(1, ["stable"]);
    await everybodyAsks(20, []);
    await secondAttempt();
    await everybodyAsks(40, ["canary"]);
    expect((await inPhase("rolledBack")).plan).toMatchObject({ phase: "rolledBack", reason: expect.stringContaining("errors") });
    const { failingUsers } = await pictureWith((picture) => picture.failingUsers !== null);
    expect(failingUsers?.canary.newlyFailing).toBe(0);
  });
});
