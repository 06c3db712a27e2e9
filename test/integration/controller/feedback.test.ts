import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { describe, expect, onTestFinished } from "vitest";
import { SUBJECTS } from "../../../src/contract/names.ts";
import type { RunningController } from "../../../src/controller/controller.ts";
import { bucketOf } from "../../../src/core/decide/bucket.ts";
import { hashUsers } from "../../../src/core/decide/rollout-rules.ts";
import { readState } from "../../../src/io/nats.ts";
import { readJudge } from "../../../src/io/store.ts";
import { commandsOf } from "../../support/doc-blocks.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { waitFor } from "./wait.ts";
import { test, type World } from "./world.ts";

const rollout = hashUsers(
  documentOf("cart", {
    targets: [{ name: "testers", when: { users: ["tess"] }, variant: "canary" }],
    strategy: { type: "canary", stages: [{ share: "50%", minTime: "1h", minSample: 50 }] },
    checks: { own: [{ name: "complaints", feedback: { kind: "complaint" }, harm: "higher" }] },
  }),
);

/** Keys of users whose share is on that side at 50 %. */
const usersOn = (side: "stable" | "canary"): string[] =>
  Array.from({ length: 200 }, (_, index) => `user-${index}`).filter((key) => bucketOf("cart", key) < 2 ** 31 === (side === "canary"));
const [onCanary = "", another = ""] = usersOn("canary");
const [onStable = ""] = usersOn("stable");

async function controllerWithFeedback(world: World, id: string): Promise<RunningController> {
  const folder = await mkdtemp(join(tmpdir(), "serin-tokens-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "tokens"), "t0ken-of-support\n");
  return world.controller(id, { options: { http: "127.0.0.1:0", feedbackTokenFile: join(folder, "tokens") } });
}

async function post(controller: RunningController, body: unknown, authorization = "Bearer t0ken-of-support") {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${controller.httpUrl}/v1/feedback`, { method: "POST", headers: { authorization }, body: text });
  return { status: response.status, body: JSON.stringify(await response.json()) };
}

/** A rollout in its first stage, a leader, and a standby that takes feedback. */
async function inStage(world: World): Promise<RunningController> {
  await world.leader("a");
  const standby = await controllerWithFeedback(world, "b");
  await world.sidecar("side");
  await world.apply(rollout);
  await world.live("cart", "in its stage", ({ plan, shareBp }) => plan.phase === "stage" && shareBp === 5_000);
  await waitFor("the rules in force are known", async () => {
    const stored = await readState(world.link, SUBJECTS.rolloutFeedback("cart"));
    return stored !== undefined && new TextDecoder().decode(stored.data).includes('"shareBp":5000') ? stored : undefined;
  });
  return standby;
}

describe("feedback to any controller", () => {
  test("is sent as docs/checks.md says", async ({ world }) => {
    const { httpUrl } = await inStage(world);
    const [line = ""] = commandsOf("docs/checks.md", "feedback");
    const script = line.replace("curl ", "curl -s ").replace("http://controller:9470", String(httpUrl));
    const env = { ...process.env, TOKEN: "t0ken-of-support" };
    expect((await promisify(execFile)("sh", ["-c", script], { env })).stdout).toMatch(/"counted: complaint on (stable|canary)"/);
  });

  test("goes to the variant that the user's share gave, once, and into the verdict", async ({ world }) => {
    const standby = await inStage(world);
    const complaint = { rollout: "cart", kind: "complaint" };
    expect(await post(standby, { ...complaint, key: onCanary })).toEqual({
      status: 202,
      body: '{"result":"counted","message":"counted: complaint on canary"}',
    });
    expect(await post(standby, { ...complaint, key: onCanary })).toMatchObject({
      status: 202,
      body: expect.stringContaining('"repeated"'),
    });
    expect(await post(standby, { ...complaint, key: onStable })).toMatchObject({ body: expect.stringContaining("complaint on stable") });
    expect(await post(standby, { ...complaint, key: "tess" })).toMatchObject({
      status: 202,
      body: '{"result":"unattributed","message":"a target names the user"}',
    });
    // An application may also say it over NATS.
    const { data } = await world.link.connection.request(SUBJECTS.feedback("cart"), JSON.stringify({ kind: "complaint", key: another }));
    expect(new TextDecoder().decode(data)).toContain("counted: complaint on canary");
    const check = await waitFor("both complaints are in the record", async () => {
      const found = (await readJudge(world.link, "cart"))?.verdict?.checks.find(({ name }) => name === "complaints");
      return found?.canary !== undefined && found.canary !== null && Math.round(found.canary * found.canarySample) === 2
        ? found
        : undefined;
    });
    expect(Math.round((check.stable ?? 0) * check.stableSample)).toBe(1);
    expect(check.weight).toBe(0);
  });

  test("leaves no raw key anywhere, and is known to the next leader", async ({ world }) => {
    const standby = await inStage(world);
    const heard: string[] = [];
    const subscription = world.link.connection.subscribe("serin.>", {
      callback: (_, { data }) => void heard.push(new TextDecoder().decode(data)),
    });
    await world.link.connection.flush();
    await post(standby, { rollout: "cart", kind: "complaint", key: onCanary });
    await waitFor("it is written down", async () => {
      const stored = await readState(world.link, SUBJECTS.rolloutFeedback("cart"));
      return stored !== undefined && !new TextDecoder().decode(stored.data).includes('"seen":[]') ? stored : undefined;
    });
    subscription.unsubscribe();
    expect(heard.some((text) => text.includes('"kind":"complaint"'))).toBe(true);
    expect(heard.filter((text) => text.includes(onCanary))).toEqual([]);
  });

  test("that is not one is refused, and never quoted", async ({ world }) => {
    const standby = await inStage(world);
    const event = { rollout: "cart", kind: "complaint" };
    const wrong: readonly (readonly [what: string, body: unknown, authorization?: string])[] = [
      ["no token", event, ""],
      ["another token", event, "Bearer other"],
      ["no JSON", `{"key":"${onCanary}`],
      ["neither key nor variant", { ...event, id: "1" }],
      ["a variant alone, which could count again and again", { ...event, variant: "canary" }],
      ["no such variant", { ...event, id: "1", variant: "blue" }],
      ["no such rollout", { ...event, rollout: "none", key: onCanary }],
      ["ahead of time", { ...event, key: onCanary, atMs: Date.now() + 3_600_000 }],
      ["too long", { ...event, key: onCanary.repeat(5_000) }],
      ["a kind that nobody counts", { ...event, kind: "praise", key: onCanary }],
    ];
    const answers: Record<string, number> = {};
    for (const [what, body, authorization] of wrong) {
      const answer = await post(standby, body, authorization);
      answers[what] = answer.status;
      expect(answer.body).not.toContain(onCanary);
    }
    expect(answers).toEqual({
      "no token": 401,
      "another token": 401,
      "no JSON": 400,
      "neither key nor variant": 400,
      "a variant alone, which could count again and again": 400,
      "no such variant": 400,
      "no such rollout": 400,
      "ahead of time": 400,
      "too long": 413,
      "a kind that nobody counts": 202,
    });
  });
});
