import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import { AttemptSchema, HistorySchema } from "../../../src/contract/history.ts";
import { AuditSchema } from "../../../src/contract/messages.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { listAudit, listLive, readLive, readPlan } from "../../../src/io/store.ts";
import { type Ran, runWith } from "../../unit/cli/cli-parts.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { waitFor } from "../controller/wait.ts";
import { test, type World } from "../controller/world.ts";

const longStage: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "20%", minTime: "1h", minSample: 50 }] };
const quick: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "20%", minTime: "100ms", minSample: 20 }] };

const open = new AbortController().signal;

/** The command line as it stands beside this world's NATS. */
const serin = (world: World, ...args: string[]): Promise<Ran> =>
  runWith([...args, "--nats", world.server.url], { nowMs: Date.now, newId: () => crypto.randomUUID(), signal: open });

async function fileOf(document: object): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "serin-telling-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, "cart.yaml");
  await writeFile(path, JSON.stringify(document));
  return path;
}

const jsonLines = (text: string): unknown[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

async function aborted(world: World): Promise<void> {
  await world.leader("a");
  await world.sidecar("one");
  await world.apply(documentOf("cart", { strategy: longStage }), { reason: "ticket 17" });
  await world.live("cart", "begun", ({ plan }) => plan.phase === "stage" && plan.begunAtMs !== null);
  await world.send("abort", { rollout: "cart", reason: "enough seen" });
  await world.phase("cart", "rolledBack");
  await waitFor("the audit is complete", async () =>
    (await listAudit(world.link, "cart", 100)).at(-1)?.action === "rolledBack" ? true : undefined,
  );
}

describe("`serin history` and `serin audit`", () => {
  test("tell who began it, how it ended and why, as text and as JSON", async ({ world }) => {
    await aborted(world);
    const told = await serin(world, "history", "cart");
    expect(told.out).toMatch(
      /^cart: 1 attempt\n\nrolled back after .*: enough seen \(ann \(claimed\)\)\n {2}began .* by ann \(claimed\): ticket 17\n/,
    );
    const { attempts } = HistorySchema.parse(JSON.parse((await serin(world, "history", "cart", "--json")).out));
    expect(AttemptSchema.parse(attempts[0])).toMatchObject({ outcome: "rolledBack", why: "enough seen", topShareBp: 2_000, runs: 3 });

    const lines = jsonLines((await serin(world, "audit", "cart", "--json")).out).map((line) => AuditSchema.parse(line));
    expect(lines.map(({ action }) => action)).toEqual(["apply", "pending", "stage", "begun", "rollback", "rolledBack"]);
    expect(lines.find(({ action }) => action === "rollback")).toMatchObject({
      before: { phase: "stage", stage: 1, of: 1, shareBp: 2_000 },
    });
    const only = await serin(world, "audit", "--action", "rollback", "--since", "10m");
    expect(only.out).toMatch(/^\d{4}-.* UTC cart: rollback, run 3, 0 %, by ann \(claimed\): enough seen\n$/);
    expect((await serin(world, "audit", "--since", new Date(Date.now() + 60_000).toISOString())).out).toBe("");
    expect(await serin(world, "history", "nosuch")).toMatchObject({
      code: 2,
      error: expect.stringContaining("there is no rollout nosuch"),
    });
  });

  test("go on with what comes, each line once", async ({ world }) => {
    await aborted(world);
    const stop = new AbortController();
    let out = "";
    const parts = { nowMs: Date.now, signal: stop.signal, out: (text: string) => void (out += text) };
    const following = runWith(["audit", "--follow", "--json", "--nats", world.server.url], parts);
    await waitFor("what there is already", () => (out.split("\n").length > 6 ? true : undefined));
    await world.apply(documentOf("cart", { strategy: longStage, salt: "another" }));
    await waitFor("what comes", () => (out.split("\n").length > 9 ? true : undefined));
    stop.abort();
    expect((await following).code).toBe(0);
    const ids = jsonLines(out).map((line) => AuditSchema.parse(line).id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("`serin diff`", () => {
  test("tells what is new, what differs and what means the same, and sends nothing", async ({ world }) => {
    await world.leader("a");
    const document = documentOf("cart", { strategy: longStage });
    const file = await fileOf(document);
    expect((await serin(world, "diff", "-f", file)).out).toBe("cart: new, nothing of that name was applied\n");
    await world.apply(document);
    const same = await fileOf({ ...document, onUnwatched: "stable" });
    expect((await serin(world, "diff", "-f", same)).out).toBe("cart: as applied\n");
    const changed = await fileOf({ ...document, salt: "another" });
    expect((await serin(world, "diff", "-f", changed)).out).toBe("cart: changed\n  + salt: another\n");
    expect(JSON.parse((await serin(world, "diff", "--json", "-f", changed)).out)).toEqual({
      kind: "rollout",
      name: "cart",
      change: "changed",
      differences: [{ path: "salt", after: "another" }],
    });
    expect((await readPlan(world.link, "cart"))?.rollout.salt).toBeUndefined();
  });
});

describe("`serin delete`", () => {
  test("takes an ended rollout away, keeps its history, and no run comes twice", async ({ world }) => {
    await aborted(world);
    expect(await serin(world, "delete", "cart", "--reason", "gone")).toMatchObject({
      code: 0,
      out: expect.stringContaining("cart is gone"),
    });
    expect([await readLive(world.link, "cart"), await readPlan(world.link, "cart"), await listLive(world.link)]).toEqual([
      undefined,
      undefined,
      [],
    ]);
    const told = await waitFor("the audit of it", async () => (await serin(world, "audit", "cart", "--action", "delete")).out || undefined);
    expect(told).toContain("cart: delete, run 3, 0 %, by alice (claimed): gone\n");
    expect(await serin(world, "delete", "cart")).toMatchObject({ code: 5, error: expect.stringContaining("no rollout is named cart") });
    expect(await world.apply(documentOf("cart", { strategy: longStage }))).toMatchObject({ result: "done", run: 4 });
    expect(await serin(world, "delete", "cart")).toMatchObject({
      code: 5,
      error: expect.stringContaining("end it first (serin abort cart)"),
    });
  });
});

describe("a pipeline", () => {
  test("that waits for a good rollout goes on with 0, an object a line", async ({ world }) => {
    await world.leader("a");
    await world.sidecar("one");
    const file = await fileOf(documentOf("cart", { strategy: quick }));
    const { code, out } = await serin(world, "apply", "-f", file, "--wait", "--timeout", "1m", "--json");
    const lines = jsonLines(out);
    expect([code, lines[0]]).toEqual([0, expect.objectContaining({ name: "cart", result: "done" })]);
    expect(lines).toContainEqual(expect.objectContaining({ type: "live", rollout: "cart", shareBp: 10_000 }));
    expect((await serin(world, "watch", "cart", "--until", "promoted")).code).toBe(0);
  });

  test.for([
    { title: "rolled back", bad: true, timeout: "1m", code: 3 },
    { title: "neither within its time", bad: false, timeout: "1s", code: 4 },
  ])("that waits for one that is $title ends with $code", async ({ bad, timeout, code }, { world }) => {
    await world.leader("a");
    const sidecar = await world.sidecar("one");
    if (bad) sidecar.traffic.canaryFailed = 50;
    const file = await fileOf(documentOf("cart", { strategy: longStage }));
    expect((await serin(world, "apply", "-f", file, "--wait", "--timeout", timeout)).code).toBe(code);
  });

  test("is told 5 of what is refused, 4 where nobody leads", async ({ world }) => {
    const file = await fileOf(documentOf("cart", { strategy: longStage }));
    expect((await serin(world, "apply", "-f", file)).code).toBe(4);
    await world.leader("a");
    await world.apply(documentOf("cart", { strategy: longStage }));
    expect(await serin(world, "handover", "cart", "--json")).toMatchObject({ code: 5, out: expect.stringContaining('"result":"refused"') });
  });
});
