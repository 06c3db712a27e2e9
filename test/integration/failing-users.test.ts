import { describe, expect } from "vitest";
import type { FailingUsers } from "../../src/contract/failing-users.ts";
import type { RolloutInput } from "../../src/contract/rollout.ts";
import { readFailingUsers } from "../../src/io/store.ts";
import { requestHeaders, startTestSidecar, type TestSidecar } from "../support/sidecar.ts";
import { runWith } from "../unit/cli/cli-parts.ts";
import { documentOf } from "../unit/controller/builders.ts";
import { waitFor } from "./controller/wait.ts";
import { inWorld, test, type World } from "./controller/world.ts";

/** A stage that nothing passes within a test, so tolerant that no failure of it ends the attempt. */
const document: RolloutInput = documentOf("cart", {
  strategy: { type: "canary", stages: [{ share: "50%", minTime: "1h", minSample: 50 }] },
  checks: { errors: { maxIncrease: "99%" }, latency: { maxIncrease: "99%" } },
});

type Decided = Readonly<{ stringValue?: string; numberValue?: number }>;

async function sidecarOf(world: World, id: string): Promise<TestSidecar> {
  const sidecar = await startTestSidecar({ id, source: { nats: world.server.url } });
  world.closing(sidecar.stop);
  await world.knows(id);
  return sidecar;
}

/** Decides a request and ends it with this status, giving the decision back as Envoy does. Tells the variant. */
async function request(sidecar: TestSidecar, user: string, status: number): Promise<string | undefined> {
  const [answer] = await sidecar.process(requestHeaders({ ":authority": "cart.example", "x-user-id": user }));
  const decided: Readonly<Record<string, Decided>> = Object(answer).dynamicMetadata?.fields?.serin?.structValue?.fields;
  await sidecar.log({
    commonProperties: {
      duration: { nanos: 9_000_000 },
      upstreamCluster: decided["cluster"]?.stringValue,
      upstreamRemoteAddress: { socketAddress: { address: "127.0.0.1", portValue: 1 } },
      upstreamRequestAttemptCount: 1,
      metadata: { filterMetadata: { serin: { fields: decided } } },
    },
    response: { responseCode: { value: status } },
  });
  return decided["variant"]?.stringValue;
}

/** Fails so many requests of a user. */
async function fail(sidecar: TestSidecar, user: string, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await request(sidecar, user, 503);
}

/** So many users of the canary, none of whom has failed. */
async function canaryUsers(sidecar: TestSidecar, count: number): Promise<string[]> {
  const found: string[] = [];
  for (let index = 0; found.length < count; index += 1) {
    if ((await request(sidecar, `user-${index}`, 200)) === "canary") found.push(`user-${index}`);
  }
  return found;
}

const known = (world: World, what: string, holds: (users: FailingUsers) => boolean): Promise<FailingUsers> =>
  waitFor(what, async () => {
    const record = await readFailingUsers(world.link, "cart");
    return record !== undefined && holds(record.users) ? record.users : undefined;
  });

const begun = (world: World, run: number) =>
  world.live("cart", `in its stage with run ${run}`, ({ plan }) => plan.phase === "stage" && plan.run === run && plan.begunAtMs !== null);

describe("users that fail", () => {
  test("on two sidecars are one each, and status and metrics show them", async ({ world }) => {
    const leader = await world.leader("a", { http: "127.0.0.1:0" });
    const [one, two] = [await sidecarOf(world, "one"), await sidecarOf(world, "two")];
    await world.apply(document);
    await begun(world, 2);
    const [broken = "", other = ""] = await canaryUsers(one, 2);
    await fail(one, broken, 3);
    await fail(two, broken, 2);
    await fail(two, other, 1);
    const canary = { distinct: 2, newlyFailing: 2, requests: 6, knownRequests: 0, isExact: true };
    const users = await known(world, "both users", (found) => found.canary.requests === 6);
    expect(users).toMatchObject({ known: 0, canary, stable: { distinct: 0 } });
    const { out } = await runWith(["status", "cart", "--json", "--nats", world.server.url], { nowMs: Date.now });
    expect(JSON.parse(out).rollouts[0].failingUsers).toEqual(users);
    expect((await runWith(["status", "cart", "--nats", world.server.url], { nowMs: Date.now })).out).toContain(
      "users that failed: stable 0, 0 newly; canary 2, 2 newly",
    );
    const metrics = await (await fetch(`${leader.httpUrl}/metrics`)).text();
    expect(metrics).toContain('serin_rollout_newly_failing_users{rollout="cart",variant="canary"} 2');
    expect(await one.metrics()).toContain('serin_failing_users{rollout="cart",variant="canary",run="2"} 1');
  });

  test("stay counted, once each, when a sidecar and then the controller begin anew", async ({ world }) => {
    const leader = await world.leader("a");
    const [one, two] = [await sidecarOf(world, "one"), await sidecarOf(world, "two")];
    await world.apply(document);
    await begun(world, 2);
    const [broken = "", other = ""] = await canaryUsers(one, 2);
    await fail(one, broken, 3);
    await fail(two, broken, 2);
    await known(world, "the first failures", ({ canary }) => canary.requests === 5);
    await one.beginStop();
    const again = await sidecarOf(world, "one");
    await waitFor("rules", async () => ((await again.ready()).body["revision"] === 0 ? undefined : true));
    await fail(again, broken, 4);
    const before = await known(world, "failures of the next process", ({ canary }) => canary.requests === 9);
    expect(before.canary).toMatchObject({ distinct: 1, newlyFailing: 1 });
    await leader.stop();
    await world.leader("b");
    expect((await readFailingUsers(world.link, "cart"))?.users).toEqual(before);
    await fail(two, other, 1);
    const after = await known(world, "what the next leader counts", ({ canary }) => canary.distinct === 2);
    expect(after.canary).toMatchObject({ distinct: 2, newlyFailing: 2, requests: 10 });
  });

  test.each([
    { title: "rolled back", end: (world: World) => world.send("abort", { rollout: "cart" }), phase: "rolledBack" as const },
    {
      title: "handed over",
      end: async (world: World) => {
        await world.send("promote", { rollout: "cart", full: true });
        await world.phase("cart", "promoted");
        await world.send("handover", { rollout: "cart" });
      },
      phase: "handedOver" as const,
    },
  ])("while a rollout rests, $title, are known to the next attempt on every sidecar", async ({ end, phase }) => {
    // vitest's table and fixtures do not go together, so this test opens and closes its own world.
    await inWorld(async (world) => {
      await world.leader("a");
      const [one, two] = [await sidecarOf(world, "one"), await sidecarOf(world, "two")];
      await world.apply(document);
      await begun(world, 2);
      const [broken = "", healthy = ""] = await canaryUsers(one, 2);
      await end(world);
      const { plan } = await world.phase("cart", phase);
      await waitFor("stable for all", async () => ((await request(one, broken, 200)) === "stable" ? true : undefined));
      await fail(one, broken, 2);
      await world.apply(document);
      await begun(world, plan.run + 2);
      await waitFor("the canary", async () => ((await request(two, broken, 200)) === "canary" ? true : undefined));
      await fail(two, broken, 3);
      await fail(two, healthy, 1);
      const users = await known(world, "the next attempt's users", (found) => found.known === 1 && found.canary.requests === 4);
      expect(users).toMatchObject({ canary: { distinct: 2, newlyFailing: 1, knownRequests: 3 } });
    });
  });
});
