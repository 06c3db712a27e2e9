import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RolloutInput } from "../../src/contract/rollout.ts";
import type { SeenRequest } from "../../src/demo/traffic.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { readDocuments } from "../../src/io/documents.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import {
  applyRollout,
  askAll,
  auditOf,
  connect,
  HOST,
  type Load,
  type Stack,
  startLoad,
  startStack,
  users,
  waitForLive,
  waitForRequests,
} from "../support/stack.ts";

const DEADLINE_MS = 60_000;
const ORIGINALS = "vhost.all.vcluster.canary.upstream_rq_2xx";

/** The example for all users and in seconds, under another name. */
async function shadowed(name: string): Promise<RolloutInput> {
  const text = await readFile(join(packageRoot(), "docs", "examples", "shadow.yaml"), "utf8");
  const [found] = readDocuments(text, "shadow.yaml").rollouts;
  if (found === undefined) throw new Error("the example holds no rollout");
  return {
    ...found.written,
    name,
    match: { hosts: [HOST] },
    mirror: { cluster: "canary", share: "100%" },
    targets: [{ name: "testers", variant: "canary", when: { header: { name: "x-user-id", prefix: "user-1" } } }],
    strategy: {
      type: "mirror",
      shadow: { minTime: "1s", minSample: 300 },
      stages: [{ share: "2%", minTime: "1h" }],
    },
    checks: { errors: { maxIncrease: "5%", proof: "20%" }, latency: { maxIncrease: "20%" } },
  };
}

describe("with real programs, a shadow", () => {
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

  /** What users saw that they should not: nobody may hear of a shadow. */
  const felt = (requests: readonly SeenRequest[]) => requests.filter(({ seen }) => seen !== "stable");

  test("that answers like stable goes on to a canary, and gets no copies any more", async () => {
    await applyRollout(stack, await shadowed("good"));
    await waitForLive(link, "good", ({ plan }) => plan.phase === "shadow");
    // Fewer than its sample: it does not go on yet.
    expect(felt(await askAll(stack, users(60)))).toEqual([]);
    await waitFor(() => (stack.canary.seen.requests > 20 ? true : undefined), { deadlineMs: 20_000, what: "copies" });
    const { out } = await stack.serin("status", "good");
    expect(out).toContain("good: shadow, nobody gets the new version and its answers to copies are compared");
    const beside: SeenRequest[] = [];
    const copied = await waitFor(
      async () => {
        // Envoy tells of what has come since it told last.
        beside.push(...(await askAll(stack, users(2))));
        const { rollouts } = JSON.parse((await stack.serin("status", "good", "--json")).out);
        const shadow = rollouts[0].judge?.shadow;
        return shadow?.shadowed.requests > 0 ? Number(shadow.shadowed.requests) : undefined;
      },
      { deadlineMs: DEADLINE_MS, what: "figures of the shadow" },
    );
    expect(felt(beside)).toEqual([]);
    // Two sidecars take turns at what Envoy tells, and nothing counts twice.
    expect(copied).toBeLessThanOrEqual(await stack.envoy.stat(ORIGINALS));
    const load = startAsking();
    await waitForLive(
      link,
      "good",
      ({ plan, shareBp }) => plan.phase === "stage" && plan.begunAtMs !== null && shareBp === 200,
      DEADLINE_MS,
    );
    const stages = (await auditOf(link, "good")).filter(({ action }) => action === "stage");
    expect(stages.map(({ reason }) => reason)).toEqual([expect.stringMatching(/^stage 1 of 1: the shadow is no worse: /)]);
    // What was on its way may still be counted.
    const noMore = async () => {
      const before = await stack.envoy.stat(ORIGINALS);
      await waitForRequests(load, 100);
      return (await stack.envoy.stat(ORIGINALS)) === before;
    };
    await waitFor(noMore, { deadlineMs: 20_000, what: "no more copies" });
    expect(load.seen.some(({ seen }) => seen === "canary")).toBe(true);
    expect((await stack.serin("abort", "good")).code).toBe(0);
    await waitForLive(link, "good", ({ plan }) => plan.phase === "rolledBack");
  });

  const startAsking = (): Load => {
    load ??= startLoad(stack, 40);
    return load;
  };

  /** Applies it, waits until it is back, and tells why; nobody may have felt it, testers neither. */
  async function wayBack(name: string): Promise<string> {
    const [fromMs, before, load] = [Date.now(), stack.canary.seen.requests, startAsking()];
    await applyRollout(stack, await shadowed(name));
    const { plan } = await waitForLive(link, name, (live) => live.plan.phase === "rolledBack", DEADLINE_MS);
    expect(felt(load.seen.filter(({ startMs }) => startMs > fromMs))).toEqual([]);
    expect(stack.canary.seen.requests).toBeGreaterThan(before);
    const actions = (await auditOf(link, name)).map(({ action }) => action);
    expect([actions.includes("shadow"), actions.includes("stage")]).toEqual([true, false]);
    return "reason" in plan ? String(plan.reason) : "";
  }

  test("that fails takes its rollout back, and no user ever gets it", async () => {
    stack.canary.failPart(0.5);
    expect(await wayBack("failing")).toMatch(/^the shadow: errors/);
    stack.canary.failPart(0);
  });

  test("that is slow does so too", async () => {
    stack.canary.decide(() => ({ status: 200, afterMs: 400 }));
    expect(await wayBack("slow")).toMatch(/^the shadow: .*slow/);
  });
});
