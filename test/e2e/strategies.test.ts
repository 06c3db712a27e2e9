import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RolloutInput } from "../../src/contract/rollout.ts";
import { VariantReportSchema } from "../../src/contract/variant-report.ts";
import { startTraffic } from "../../src/demo/traffic.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { readDocuments } from "../../src/io/documents.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { listAudit } from "../../src/io/store.ts";
import { applyRollout, ask, connect, HOST, type Stack, startStack, users, waitForLive } from "../support/stack.ts";

let stack: Stack;
let link: NatsLink;
beforeAll(async () => {
  stack = await startStack();
  link = await connect(stack);
});
afterAll(async () => {
  await link.close();
  await stack.stop();
});

/** The example under the name that it has, with what a test changes in it. */
async function example(file: string, change: Partial<RolloutInput> = {}): Promise<RolloutInput> {
  const text = await readFile(join(packageRoot(), "docs", "examples", file), "utf8");
  const [found] = readDocuments(text, file).rollouts;
  if (found === undefined) throw new Error("the example holds no rollout");
  const tolerant: RolloutInput["checks"] = { errors: { maxIncrease: "20%" }, latency: { maxIncrease: "50%" } };
  return { ...found.written, match: { hosts: [HOST] }, checks: tolerant, ...change };
}

const seenBy = async (user: string, headers: Record<string, string> = {}): Promise<string | undefined> =>
  (await ask(stack, user, headers)).seen;

test("blue-green: testers alone see the new version, then everyone at once, and everyone is back at once", async () => {
  await applyRollout(stack, await example("blue-green.yaml"));
  await waitForLive(link, "pay", ({ plan }) => plan.phase === "preview");
  await waitFor(async () => (await seenBy("user-1", { "x-tester": "yes" })) === "canary", { deadlineMs: 20_000, what: "testers' preview" });
  expect([await seenBy("user-1"), await seenBy("user-1", { "x-tester": "yes" })]).toEqual(["stable", "canary"]);
  expect((await stack.serin("status", "pay")).out).toContain(
    "pay: preview, only targets lead to the new version; 100 % by `serin promote`",
  );
  expect((await stack.serin("promote", "pay")).code).toBe(0);
  await waitForLive(link, "pay", ({ plan }) => plan.phase === "promoted");
  for (const user of users(20)) expect(await seenBy(user)).toBe("canary");
  expect((await stack.serin("status", "pay")).out).toMatch(
    /promoted, waiting for hand-over, stable kept warm until .* UTC: keep the old stable up/,
  );
  await stack.serin("abort", "pay", "--reason", "invoices are wrong");
  await waitForLive(link, "pay", ({ plan }) => plan.phase === "rolledBack");
  for (const user of users(20)) expect(await seenBy(user, { "x-tester": "yes" })).toBe("stable");
});

test("a toggle is on at its share and for its targets, and off by abort", async () => {
  const tagOf = async (user: string, headers: Record<string, string> = {}): Promise<unknown> => {
    await ask(stack, user, headers);
    return stack.stable.lastHeaders()["x-serin-search"];
  };
  const tagsOf = async (names: readonly string[], headers: Record<string, string> = {}): Promise<unknown[]> => {
    const tags: unknown[] = [];
    for (const name of names) tags.push(await tagOf(name, headers));
    return tags;
  };
  await applyRollout(stack, await example("toggle-on.yaml"));
  await waitForLive(link, "new-search", ({ plan }) => plan.phase === "on" && plan.begunAtMs !== null);
  const on = (await tagsOf(users(200))).filter((tag) => tag === "new").length;
  expect([on > 25, on < 80]).toEqual([true, true]);
  expect(new Set(await tagsOf(users(20), { "x-staff": "yes" }))).toEqual(new Set(["new"]));
  await stack.serin("abort", "new-search");
  await waitForLive(link, "new-search", ({ plan }) => plan.phase === "rolledBack");
  expect(new Set(await tagsOf(users(50), { "x-staff": "yes" }))).toEqual(new Set(["old"]));
});

test("a template is looked up when a rollout is applied, and a later change of it moves none that has begun", async () => {
  const text = await readFile(join(packageRoot(), "docs", "examples", "template.yaml"), "utf8");
  const file = join(stack.directory, "template.yaml");
  await writeFile(file, text.replace("suggest.example", HOST));
  expect((await stack.serin("apply", "-f", file)).code).toBe(0);
  await waitForLive(link, "suggest", ({ plan, shareBp }) => plan.phase === "stage" && shareBp === 200);
  expect((await stack.serin("status", "suggest")).out).toMatch(/suggest: stage 1 of 2.*\n.*\n {2}strategy from template team-search\n/);
  await writeFile(file, text.split("---")[0]?.replace("20%", "70%") ?? "");
  expect((await stack.serin("apply", "-f", file)).out).toContain("running ones keep what they began with");
  expect((await stack.serin("get", "template", "team-search")).out).toContain("share: 70%");
  await stack.serin("promote", "suggest");
  await waitForLive(link, "suggest", ({ plan, shareBp }) => plan.phase === "stage" && plan.stage === 1 && shareBp === 2_000);
  await stack.serin("abort", "suggest");
  await waitForLive(link, "suggest", ({ plan }) => plan.phase === "rolledBack");
  await writeFile(file, (text.split("---")[1] ?? "").replace("use: team-search", "use: team-serch"));
  const { code, out, error } = await stack.serin("apply", "-f", file);
  expect([code, out + error]).toEqual([
    5,
    expect.stringContaining("there is no template team-serch, known are team-search; apply it first"),
  ]);
});

test("a person gives everyone the variant of a test that won, and undo brings stable back", async () => {
  const layouts = async (): Promise<ReadonlySet<unknown>> => {
    const seen = new Set<unknown>();
    for (const user of users(30)) {
      const { seen: variant } = await ask(stack, user);
      seen.add(variant === "stable" ? variant : stack.canary.lastHeaders()["x-serin-layout"]);
    }
    return seen;
  };
  await applyRollout(stack, { ...(await example("ab-test.yaml")), name: "chosen" });
  await waitForLive(link, "chosen", ({ plan }) => plan.phase === "trial" && plan.begunAtMs !== null);
  expect(await layouts()).toEqual(new Set(["stable", "wide", "narrow"]));
  expect((await stack.serin("promote", "chosen", "--variant", "narrow")).code).toBe(5);
  await stack.serin("promote", "chosen", "--reason", "seen enough");
  expect((await stack.serin("status", "chosen")).out).toContain("`serin promote --variant canary|narrow` or `serin abort`");
  expect((await stack.serin("promote", "chosen", "--variant", "narrow")).code).toBe(0);
  await waitForLive(link, "chosen", ({ plan }) => plan.phase === "promoted");
  expect(await layouts()).toEqual(new Set(["narrow"]));
  expect((await stack.serin("status", "chosen")).out).toContain("promoted narrow, waiting for hand-over");
  await stack.serin("undo", "chosen");
  await waitForLive(link, "chosen", ({ plan }) => plan.phase === "rolledBack");
  expect(await layouts()).toEqual(new Set(["stable"]));
});

test("a test of variants keeps its shares, ends with a report, and waits for a person", async () => {
  const { port } = stack.envoy;
  const traffic = startTraffic({ port, host: HOST, path: "/", users: 1_000, perSecond: 150, onRequest: () => undefined });
  try {
    stack.canary.failPart(0.05);
    await applyRollout(
      stack,
      await example("ab-test.yaml", {
        variants: { stable: { cluster: "stable" }, canary: { cluster: "canary" } },
        strategy: { type: "abTest", shares: { canary: "30%" }, time: "1m" },
      }),
    );
    await waitForLive(link, "layout", ({ plan, shareBp }) => plan.phase === "trial" && plan.begunAtMs !== null && shareBp === 3_000);
    await waitFor(async () => ((await stack.serin("status", "layout")).out.includes("so far, not to be judged by") ? true : undefined), {
      deadlineMs: 20_000,
      what: "figures of the test",
    });
    // A minute is the shortest test; a person may end it before.
    await waitForLive(link, "layout", ({ plan, updatedAtMs }) => plan.phase === "decision" && updatedAtMs > 0, 90_000);
  } finally {
    await traffic.stop();
    stack.canary.failPart(0);
  }
  const audit = await waitFor(async () => (await listAudit(link, "layout", 50)).find(({ action }) => action === "report"), {
    deadlineMs: 10_000,
    what: "the report in the audit",
  });
  const report = VariantReportSchema.parse(audit.detail);
  const errors = report.measures.find(({ name }) => name === "errors")?.variants[0];
  expect(report.isFinal).toBe(true);
  expect(errors).toMatchObject({ variant: "canary", shows: "higher" });
  expect(audit.reason).toContain("errors higher on canary by +");
  const { rollouts } = JSON.parse((await stack.serin("status", "layout", "--json")).out);
  expect(VariantReportSchema.parse(rollouts[0].report).measures.map(({ name }) => name)).toContain("slow p90");
  await stack.serin("abort", "layout");
  await waitForLive(link, "layout", ({ plan }) => plan.phase === "rolledBack");
});
