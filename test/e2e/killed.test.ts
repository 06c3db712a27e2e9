import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningProcess, startProcess } from "../../src/demo/processes.ts";
import { stopAll } from "../../src/demo/stop-all.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { listAudit, readLease, readLive } from "../../src/io/store.ts";
import { LEASE } from "../support/fleet.ts";
import { type NatsTap, startNatsTap } from "../support/nats-tap.ts";
import { applyRollout, connect, hasBegun, heldAt, rolloutOf, type Stack, startStack, waitForLive } from "../support/stack.ts";

/** What a step writes: plans, live states, manifests, the judge's records, the audit. Renewals of the lease come by the clock. */
const EFFECTS = /^serin\.(plans|audit|state\.(?!lease))/;
const STEPS = ["apply 1", "pending 1", "stage 2", "begun 2", "promoting 3", "promoted 3", "handedOver 3"];
/** Over the whole rollout, as far as one can say beforehand: some of its writes come by the clock. */
const POINTS = [0, 3, 6, 10, 15, 20];

describe("a controller's process that is killed with SIGKILL at a write of its own", () => {
  let stack: Stack;
  let link: NatsLink;
  const stops: (() => Promise<unknown>)[] = [];
  let standby: RunningProcess | undefined;
  let count = 0;

  beforeAll(async () => {
    stack = await startStack({ controllers: 0 });
    stops.push(stack.stop);
    link = await connect(stack);
    stops.push(link.close);
  });
  afterAll(() => stopAll(stops));

  const start = async (url: string): Promise<RunningProcess> => {
    count += 1;
    const id = `c${count}`;
    const args = ["controller", "--id", id, "--nats", url, ...LEASE];
    const bin = join(packageRoot(), "dist", "src", "bin", "serin.js");
    const started = await startProcess({ name: id, program: process.execPath, args: [bin, ...args] });
    stops.push(started.stop);
    return started;
  };

  /** One controller that leads, whose messages are looked at, and one that stands by. */
  const startTwo = async (): Promise<{ leader: RunningProcess; tap: NatsTap }> => {
    const tap = await startNatsTap(Number(new URL(stack.nats.url).port));
    stops.push(tap.close);
    const leader = await start(tap.url);
    await standby?.stop();
    await waitFor(async () => ((await readLease(link))?.holder === leader.name ? true : undefined), {
      deadlineMs: 30_000,
      what: "it to lead",
    });
    standby = await start(stack.nats.url);
    return { leader, tap };
  };

  test.each(POINTS.map((at, index) => ({ at, when: index % 2 === 0 ? ("before" as const) : ("after" as const) })))(
    "is succeeded, and the rollout ends as without: $when write $at",
    async ({ at, when }) => {
      const { leader, tap } = await startTwo();
      const name = `killed-${at}`;
      let killed: Promise<unknown> | undefined;
      tap.arm({ subject: EFFECTS, at, when }, () => {
        killed = leader.kill();
      });
      const again = { deadlineMs: 60_000, what: "an answer" };
      // Whoever gets no answer asks again, with a command of its own.
      await waitFor(() => applyRollout(stack, rolloutOf(name, heldAt("50%"))).then(() => true), again);
      await waitForLive(link, name, hasBegun, 60_000);
      for (const [verb, phase] of [
        ["promote", "promoted"],
        ["handover", "handedOver"],
      ] as const) {
        await waitFor(async () => {
          await stack.serin(verb, name);
          return (await readLive(link, name))?.plan.phase === phase;
        }, again);
      }
      await killed;
      expect([leader.isRunning(), tap.seen() > at]).toEqual([false, true]);
      const steps = await waitFor(async () => {
        const lines = (await listAudit(link, name, 50)).map(({ action, run }) => `${action} ${run}`);
        return lines.length >= STEPS.length ? lines : undefined;
      }, again);
      expect(steps).toEqual(STEPS);
    },
  );
});
