import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { promisify } from "node:util";
import { describe, expect } from "vitest";
import { API_ROUTES, ProblemSchema } from "../../../src/contract/api.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { listAudit, readPlan } from "../../../src/io/store.ts";
import { digestOf, tokenLine } from "../../../src/io/tokens.ts";
import { commandsOf } from "../../support/doc-blocks.ts";
import { runWith } from "../../unit/cli/cli-parts.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { type Api, apiOf, command, longStage, tokenOf, tokensFile, yaml } from "./api-world.ts";
import { waitFor } from "./wait.ts";
import { test } from "./world.ts";

const execFileAsync = promisify(execFile);

const answerOf = (id: string) => {
  const route = API_ROUTES.find((each) => each.id === id);
  if (route === undefined) throw new Error(`no route ${id}`);
  return route.answer;
};

describe("the HTTP API of a standby", () => {
  test("takes a rollout from its begin to its end, under the name of the token", async ({ world }) => {
    const { ask } = await apiOf(world);
    await world.sidecar("one");
    const applied = await ask("/v1/apply?reason=ticket%2017", yaml(documentOf("cart", { strategy: longStage })));
    expect([applied.status, applied.body]).toEqual([200, answerOf("apply").parse(applied.body)]);
    await world.live("cart", "begun", ({ plan }) => plan.phase === "stage" && plan.begunAtMs !== null);
    expect((await ask("/v1/rollouts/cart/pause", command({ reason: "lunch" }))).body).toMatchObject({ result: "done", phase: "paused" });
    expect((await ask("/v1/rollouts/cart/resume", command())).body).toMatchObject({ phase: "stage" });
    expect((await ask("/v1/rollouts/cart/promote", command({ full: true }))).body).toMatchObject({ phase: "promoting" });
    await world.phase("cart", "promoted");
    expect((await ask("/v1/rollouts/cart/handover", command())).body).toMatchObject({ phase: "handedOver" });
    await waitFor("the audit is complete", async () =>
      (await listAudit(world.link, "cart", 100)).at(-1)?.action === "handedOver" ? true : undefined,
    );

    for (const [id, path] of Object.entries({
      status: "/v1/status",
      rollouts: "/v1/rollouts",
      rollout: "/v1/rollouts/cart",
      plan: "/v1/rollouts/cart/plan",
      history: "/v1/rollouts/cart/history",
      audit: "/v1/audit?rollout=cart&since=1h",
    })) {
      const { status, body } = await ask(path, { as: "viewer" });
      expect([id, status, body]).toEqual([id, 200, answerOf(id).parse(body)]);
    }
    const audit = await ask("/v1/audit?rollout=cart&action=handedOver&limit=1");
    expect(audit.body).toMatchObject({ lines: [{ who: { name: "ci", claimed: false } }] });
    expect((await readPlan(world.link, "cart"))?.who).toEqual({ name: "ci", claimed: false });
    expect((await ask("/v1/rollouts/cart", { method: "DELETE" })).body).toMatchObject({ result: "done" });
    expect((await ask("/v1/rollouts")).body).toEqual({ rollouts: [] });
  });

  test("gives everyone the variant of a test that it names", async ({ world }) => {
    const { ask } = await apiOf(world);
    await world.sidecar("one");
    const variants = { stable: { cluster: "s" }, a: { cluster: "a" }, b: { cluster: "b" } };
    await ask(
      "/v1/apply",
      yaml(documentOf("cart", { variants, strategy: { type: "abTest", shares: { a: "10%", b: "10%" }, time: "1d" } })),
    );
    await world.phase("cart", "trial");
    expect((await ask("/v1/rollouts/cart/promote", command({ variant: "c", full: true }))).status).toBe(409);
    expect((await ask("/v1/rollouts/cart/promote", command({ variant: "b", full: true }))).body).toMatchObject({ phase: "promoting" });
    expect((await world.phase("cart", "promoted")).plan).toMatchObject({ winner: "b" });
  });

  test("carries a repeated request out once, and a reused key of another thing too", async ({ world }) => {
    const { ask } = await apiOf(world);
    await world.sidecar("one");
    await world.apply(documentOf("cart", { strategy: longStage }));
    await world.phase("cart", "stage");
    const once = (): ReturnType<Api["ask"]> => ask("/v1/rollouts/cart/pause", command({}, { "idempotency-key": "deploy 17" }));
    const first = await once();
    expect([first.status, (await once()).body]).toEqual([200, first.body]);
    expect((await ask("/v1/rollouts/cart/pause", command())).status).toBe(409);
    expect((await ask("/v1/rollouts/cart/resume", command({}, { "idempotency-key": "deploy 17" }))).body).toMatchObject({ phase: "stage" });
  });

  test("refuses with a problem that says what to do", async ({ world }) => {
    const { ask } = await apiOf(world);
    await world.apply(documentOf("cart", { strategy: longStage }));
    const abort = "/v1/rollouts/cart/abort";
    const cases: readonly (readonly [status: number, detail: string, path: string, init?: Parameters<Api["ask"]>[1]])[] = [
      [401, "no token that is known", "/v1/rollouts", { as: null }],
      [401, "no token that is known", "/v1/rollouts", { as: null, headers: { authorization: "Bearer serin_c" } }],
      [401, "no token that is known", abort, { ...command(), as: null, headers: { authorization: `Basic ${btoa(`:${tokenOf("ci")}`)}` } }],
      [403, "viewer may only look; abort needs a token with the role operate", abort, { ...command(), as: "viewer" }],
      [409, "boss may only look, and promote or abort what waits at a gate; abort needs", abort, { ...command(), as: "boss" }],
      [404, "there is nothing here", "/v1/nothing"],
      [404, "there is no rollout shop", "/v1/rollouts/shop"],
      [404, "there can be no name like that", "/v1/rollouts/A..B"],
      [405, "takes POST", abort],
      [400, 'unknown "colour"', "/v1/audit?colour=red"],
      [400, "since", "/v1/audit?since=yesterday"],
      [400, "not JSON", abort, { method: "POST", headers: { "content-type": "application/json" }, body: "{" }],
      [400, "did you mean reason?", abort, command({ raison: "x" })],
      [400, "idempotency-key", abort, command(undefined, { "idempotency-key": "x".repeat(201) })],
      [415, "application/json", abort, { method: "POST", body: "reason=x" }],
      [413, "longer than", "/v1/apply", { ...yaml({}), body: "x".repeat(1_100_000) }],
      [409, "hand-over follows promotion", "/v1/rollouts/cart/handover", command()],
      [422, "key", "/v1/apply", yaml({ ...documentOf("shop"), key: 3 })],
      [422, "serin apply -f FILE", "/v1/apply", yaml({ apiVersion: "serin/v1", kind: "Segment", name: "s", usersFrom: "a.txt" })],
    ];
    for (const [status, detail, path, init] of cases) {
      const given = await ask(path, init);
      expect([path, given.status, given.body["detail"]]).toEqual([path, status, expect.stringContaining(detail)]);
      expect([given.headers.get("content-type"), ProblemSchema.parse(given.body)]).toEqual(["application/problem+json", given.body]);
      expect(given.headers.get("access-control-allow-origin")).toBe(null);
    }
  });

  test("may be looked at with the token as password, as browsers send it", async ({ world }) => {
    const { ask } = await apiOf(world);
    const authorization = `Basic ${btoa(`anyone:${tokenOf("viewer")}`)}`;
    expect((await ask("/v1/rollouts", { as: null, headers: { authorization } })).status).toBe(200);
    expect((await ask("/v1/openapi.json", { as: null })).body).toMatchObject({ openapi: "3.1.1" });
  });

  test("says 503 while NATS is away", async ({ world }) => {
    const { ask } = await apiOf(world);
    await world.server.stop();
    const answers = await Promise.all([ask("/v1/rollouts/cart/pause", command()), ask("/v1/rollouts"), ask("/v1/audit")]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
  });

  test("forgets a token that is taken back, without a restart", async ({ world }) => {
    const { ask, file } = await apiOf(world);
    expect((await ask("/v1/rollouts")).status).toBe(200);
    await writeFile(file, tokenLine({ name: "viewer", role: "view", digest: digestOf(tokenOf("viewer")) }));
    await waitFor("the token is forgotten", async () => ((await ask("/v1/rollouts")).status === 401 ? true : undefined));
    expect((await ask("/v1/rollouts", { as: "viewer" })).status).toBe(200);
  });

  test("may be used by nobody where controllers have no tokens", async ({ world }) => {
    const alone = await world.controller("c", { options: { http: "0" } });
    expect(alone.httpUrl).toMatch(/^http:\/\/127\.0\.0\.1:/);
    const response = await fetch(`${alone.httpUrl}/v1/rollouts`);
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining("--tokens FILE")]);
  });
});

test("the examples of docs/api.md work, in their order", async ({ world }) => {
  const controller = await world.leader("a", { tokens: await tokensFile(), http: "127.0.0.1:0" });
  await world.sidecar("one");
  await world.apply(documentOf("checkout", { strategy: longStage }));
  await world.phase("checkout", "stage");
  for (const line of commandsOf("docs/api.md", "examples")) {
    const script = line
      .replace("curl ", "curl -s -w '%{http_code}' -o /dev/null ")
      .replace("http://127.0.0.1:9470", `${controller.httpUrl}`);
    const run = execFileAsync("sh", ["-c", script], { cwd: packageRoot(), env: { ...process.env, TOKEN: tokenOf("ci") } });
    // Another document while this one runs: refused as things stand.
    expect([line, (await run).stdout]).toEqual([line, line.includes("/v1/apply") ? "409" : "200"]);
  }
  expect((await world.phase("checkout", "rolledBack")).plan).toMatchObject({ reason: expect.stringContaining("ci") });
});

describe("a command line with a token", () => {
  test("is who the token says, and may what the token may", async ({ world }) => {
    await apiOf(world);
    await world.sidecar("one");
    await world.apply(documentOf("cart", { strategy: longStage }));
    await world.phase("cart", "stage");
    const serin = (token: string, ...args: string[]) =>
      runWith([...args, "--nats", world.server.url], { token, nowMs: Date.now, newId: () => crypto.randomUUID(), user: "eve" });
    expect(await serin(tokenOf("viewer"), "pause", "cart")).toMatchObject({
      code: 5,
      error: expect.stringContaining("viewer may only look"),
    });
    expect(await serin("serin_unknown", "pause", "cart")).toMatchObject({
      code: 5,
      error: expect.stringContaining("does not know this token"),
    });
    expect((await serin(tokenOf("ci"), "pause", "cart")).code).toBe(0);
    const paused = await waitFor("the audit", async () =>
      (await listAudit(world.link, "cart", 100)).find(({ action }) => action === "paused"),
    );
    expect(paused.who).toEqual({ name: "ci", claimed: false });
  });
});
