import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../../src/core/decide/compile.ts";
import { explain } from "../../../src/core/decide/explain.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { plainVariant } from "../../support/plain-bucketing.ts";
import { requestHeaders, startTestSidecar, type TestSidecar, variantOf } from "../../support/sidecar.ts";

const SECRET = "a-secret-of-many-letters";
const RESPONSE = { responseHeaders: { headers: { headers: [{ key: ":status", rawValue: Buffer.from("200") }] } } };
const rules = ruleSetOf({
  checkout: ruleOf({ key: [{ header: "x-user-id" }, { issued: { cookie: "serin-id", maxAge: "1h" } }] }),
});

let directory: string;
const started: TestSidecar[] = [];
async function start(files: { readonly key?: string; readonly secrets?: string }): Promise<TestSidecar> {
  const sidecar = await startTestSidecar({
    source: { file: join(directory, "rules.json") },
    ...(files.key !== undefined && { cookieKeyFile: files.key }),
    ...(files.secrets !== undefined && { debugSecretFile: files.secrets }),
  });
  started.push(sidecar);
  return sidecar;
}
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "serin-phase-"));
  await writeFile(join(directory, "rules.json"), JSON.stringify(rules));
  await writeFile(join(directory, "key"), "ab".repeat(32));
  await writeFile(join(directory, "secrets"), SECRET);
});
afterAll(async () => {
  for (const sidecar of started) await sidecar.stop();
  await rm(directory, { recursive: true });
});

/** Headers set in an answer, `name how: value`. */
const setIn = (phase: unknown): string[] =>
  (Object(phase).response?.headerMutation?.setHeaders ?? []).map(
    ({
      header,
      append,
      appendAction,
    }: {
      header: { key: string; rawValue: Buffer };
      append: { value: boolean } | null;
      appendAction: string;
    }) => `${header.key} ${append?.value === true ? "add" : appendAction}: ${String(header.rawValue)}`,
  );
const removedIn = (answer: unknown): unknown => Object(answer).requestHeaders.response.headerMutation.removeHeaders;
const isAsked = (answer: unknown): boolean => Object(answer).modeOverride?.responseHeaderMode === "SEND";

describe("a user without a key", () => {
  test("gets a cookie with the answer, and the variant of its id at once and ever after", async () => {
    const sidecar = await start({ key: join(directory, "key") });
    for (let user = 0; user < 20; user += 1) {
      const [first, second] = await sidecar.process(requestHeaders({}), RESPONSE);
      expect(isAsked(first)).toBe(true);
      const [set = "", ...more] = setIn(Object(second).responseHeaders);
      expect(more).toEqual([]);
      expect(set).toMatch(/^set-cookie add: serin-id=[\w.-]{45}; Max-Age=3600; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
      const [cookie = "", id = ""] = /serin-id=([\w-]{22})[\w.-]*/.exec(set) ?? [];
      expect(variantOf(first)).toBe(plainVariant("checkout", id, 5_000));
      const [again, pass] = await sidecar.process(requestHeaders({ cookie }), RESPONSE);
      expect([variantOf(again), isAsked(again), setIn(Object(pass).responseHeaders)]).toEqual([variantOf(first), false, []]);
    }
    const text = await sidecar.metrics();
    expect(text).toContain('serin_cookies_issued_total{instead="none"} 20');
    expect(text).toContain("serin_responses_asked_total 20");
    expect(text).toContain("serin_responses_missing_total 0");
  });

  test("is stable, without a cookie, where there is no key to sign it", async () => {
    const sidecar = await start({});
    const [answer] = await sidecar.process(requestHeaders({}));
    expect([variantOf(answer), isAsked(answer)]).toEqual(["stable", false]);
  });

  test("whose response never comes is counted", async () => {
    const sidecar = await start({ key: join(directory, "key") });
    await sidecar.process(requestHeaders({}));
    await sidecar.cut(requestHeaders({ cookie: "serin-id=forged" }));
    await expect.poll(() => sidecar.metrics(), { timeout: 5_000 }).toContain("serin_responses_missing_total 2");
    expect(await sidecar.metrics()).toContain('serin_cookies_issued_total{instead="invalid"} 1');
  });
});

describe("a request with a secret", () => {
  const ask = (sidecar: TestSidecar, secret: string) =>
    sidecar.process(requestHeaders({ "x-user-id": "u1", "serin-debug": secret }), RESPONSE);

  test("is explained in the answer, in the upstream's place, and loses it", async () => {
    const sidecar = await start({ secrets: join(directory, "secrets") });
    const [first, second] = await ask(sidecar, SECRET);
    expect([removedIn(first), isAsked(first), variantOf(first)]).toEqual([["serin-debug"], true, plainVariant("checkout", "u1", 5_000)]);
    const [set = "", ...more] = setIn(Object(second).responseHeaders);
    expect(more).toEqual([]);
    expect(set).toMatch(/^x-serin-explain OVERWRITE_IF_EXISTS_OR_ADD: \{/);
    const facts = factsOf({ headers: [["x-user-id", "u1"]] });
    expect(JSON.parse(set.slice(set.indexOf("{")))).toEqual(JSON.parse(JSON.stringify(explain(compile(rules), facts))));
  });

  test("that is wrong is not, and loses it too", async () => {
    const sidecar = await start({ secrets: join(directory, "secrets"), key: join(directory, "key") });
    const [first, second] = await ask(sidecar, `${SECRET}x`);
    expect([removedIn(first), isAsked(first), setIn(Object(second).responseHeaders)]).toEqual([["serin-debug"], false, []]);
    expect(await sidecar.metrics()).toContain('serin_debug_requests_total{secret="wrong"} 1');
  });

  test("is like any other where nobody may ask", async () => {
    const sidecar = await start({ key: join(directory, "key") });
    const [first] = await ask(sidecar, SECRET);
    expect([removedIn(first) ?? [], isAsked(first)]).toEqual([[], false]);
  });
});

test("a file that cannot be used stops the start", async () => {
  await expect(start({ key: join(directory, "none") })).rejects.toThrow(/none cannot be read/);
});
