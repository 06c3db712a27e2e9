import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, onTestFinished } from "vitest";
import type { StreamEvent } from "../../../src/contract/stream.ts";
import { waitFor } from "../../../src/demo/wait-for.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { readJudge } from "../../../src/io/store.ts";
import { type PageWorld, signIn } from "../../support/page-world.ts";
import { applyRollout, connect, hasBegun, heldAt, rolloutOf, startLoad, waitForLive } from "../../support/stack.ts";
import { test } from "./page.ts";

/** What axe finds wrong, as one line a place. */
async function wrongs(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate<{ id: string; nodes: { html: string; failureSummary: string }[] }[]>(
    "axe.run().then((result) => result.violations)",
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`));
}

/** A rollout in its stage, with some verdicts behind it. */
async function judged({ stack }: PageWorld): Promise<void> {
  const link = await connect(stack);
  onTestFinished(() => link.close());
  await applyRollout(
    stack,
    rolloutOf("checkout", [
      { share: "20%", minTime: "1h" },
      { share: "50%", minTime: "1h" },
    ]),
  );
  await waitForLive(link, "checkout", hasBegun);
  const load = startLoad(stack, 60);
  onTestFinished(load.stop);
  await waitFor(async () => ((await readJudge(link, "checkout"))?.totals.canary.requests ?? 0) > 20, {
    deadlineMs: 60_000,
    what: "verdicts",
  });
}

/** Each view, until what it is for is there. */
const VIEWS = [
  { at: "", shows: (page: Page) => page.getByRole("row", { name: /checkout/ }) },
  { at: "#/rollouts/checkout", shows: (page: Page) => page.getByRole("img", { name: /^slow/ }).first() },
  { at: "#/fleet", shows: (page: Page) => page.getByRole("row", { name: /sidecar-1.*ok.*zone=b/ }) },
  { at: "#/explain", shows: (page: Page) => page.getByLabel("Host") },
] as const;

test("each view, and the form before them, is fit for all: nothing that axe finds wrong, in light and dark, and nothing cut off at 360 px", async ({
  world,
  open,
}) => {
  await judged(world);
  for (const [colorScheme, width] of [
    ["light", 360],
    ["dark", 360],
    ["dark", 1_600],
  ] as const) {
    const { page } = await open({ colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" });
    await page.goto(world.url);
    await page.getByLabel("Token").waitFor();
    expect(await wrongs(page)).toEqual([]);
    await signIn(page, world.url, "ann");
    for (const { at, shows } of VIEWS) {
      await page.goto(world.url + at);
      await shows(page).waitFor();
      expect([at, await wrongs(page)]).toEqual([at, []]);
      expect([at, await page.evaluate("document.documentElement.scrollWidth")]).toEqual([at, width]);
    }
    await page.goto(`${world.url}#/rollouts/checkout`);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("dialog").waitFor();
    expect(await wrongs(page)).toEqual([]);
  }
});

test("a request that is typed is explained step by step", async ({ world, open }) => {
  const { page } = await open();
  await signIn(page, world.url, "board");
  await page.getByRole("link", { name: "Explain" }).click();
  await page.getByLabel("Host").fill("shop.example");
  await page.getByLabel("Headers").fill("x-user-id: alice");
  await page.getByRole("button", { name: "Explain" }).click();
  const answer = page.getByRole("region", { name: "Answer" });
  await answer.getByText(/the bucketing key comes from header x-user-id/).waitFor();
  expect(await answer.textContent()).toMatch(/(stable|canary) reason: share/);
});

test("the fleet shows which rules each sidecar obeys, and when it was heard", async ({ world: { url }, open }) => {
  const { page } = await open();
  await signIn(page, url, "ann");
  await page.getByRole("link", { name: "Fleet" }).click();
  await page.getByRole("row", { name: /sidecar-0 ok \d+\.\d+ .* ago zone=a/ }).waitFor();
  expect(await page.locator("[data-sidecar]").count()).toBe(2);
});

describe("a token", () => {
  test("that is not known is refused in words, and kept nowhere", async ({ world: { url }, open }) => {
    const { page, errors } = await open();
    await page.goto(url);
    await page.getByLabel("Token").fill("serin_nobody");
    await page.getByRole("button", { name: "Look" }).click();
    await page
      .getByRole("alert")
      .getByText(/^no token that is known/)
      .waitFor();
    expect(await page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]")).toEqual([0, 0, ""]);
    expect(errors.splice(0)).toEqual([expect.stringContaining("401")]);
  });

  test.for([
    { name: "board", says: /role view, which may only look/ },
    { name: "boss", says: /role approve, which may only look here/ },
  ] as const)("of $name offers no verb that it may not say", async ({ name, says }, { world: { stack, url }, open }) => {
    await applyRollout(stack, { ...rolloutOf("held", heldAt("20%")), match: { hosts: ["held.example"] } });
    const { page } = await open();
    await signIn(page, url, name);
    await page.getByRole("link", { name: "held" }).click();
    await page.getByText(says).waitFor();
    const buttons = await page.getByRole("region", { name: "Verbs" }).getByRole("button").all();
    expect(buttons.length).toBeGreaterThan(1);
    for (const button of buttons) expect(await button.isEnabled()).toBe(false);
  });

  test("lasts as long as the tab, or until it is forgotten", async ({ world: { url }, open }) => {
    const { page } = await open();
    await signIn(page, url, "board");
    await page.reload();
    await page.getByRole("navigation").waitFor();
    expect(await page.evaluate("[Object.keys(sessionStorage), localStorage.length, document.cookie]")).toEqual([["serin-token"], 0, ""]);
    await page.getByRole("button", { name: "Forget token" }).click();
    await page.getByLabel("Token").waitFor();
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
  });
});

test("names and words that would do harm are text everywhere, and so is an address", async ({ world: { url }, open }) => {
  const { page } = await open();
  await page.goto(url);
  const evil = `"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>javascript:alert(1)`;
  const check = {
    name: evil,
    verdict: "hold",
    weight: 1,
    stable: 0,
    canary: 0.1,
    difference: 0.1,
    lower: null,
    upper: 0.2,
    threshold: 0.1,
    odds: 1,
  };
  const verdict = { verdict: "hold", reason: evil, proven: evil, safeShareBp: 0, atMs: 1, checks: [check], odds: 1 };
  const totals = { requests: 1, failed: 0 };
  const judge = { verdict, totals: { stable: totals, canary: totals }, shareSeenBp: 1 };
  const rollout = { name: evil, plan: { phase: "paused", run: 1, firstRun: 1, sinceMs: 1, stage: 0, reason: evil }, shareBp: 100, judge };
  const sidecar = {
    id: evil,
    heard: true,
    state: "ok",
    isCurrent: true,
    problem: evil,
    obeys: null,
    heardAtMs: null,
    labels: { [evil]: evil },
  };
  const who = { name: evil, claimed: true };
  // As no controller sends it: the page is to be safe by itself.
  const events = [
    { type: "hello", name: evil, role: "operate", controller: evil },
    { type: "rollout", rollout, phase: evil, stages: [], lines: [evil] },
    { type: "audit", line: { id: evil, atMs: 1, rollout: evil, action: evil, who, reason: evil } },
    { type: "fleet", sidecars: [sidecar] },
    { type: "mesh", nowMs: 1, leader: { holder: evil, term: 1, ageMs: 0 }, orders: [], freeze: evil, problem: null },
  ] as unknown as StreamEvent[];
  const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
  await page.route("**/v1/events", (route) => route.fulfill({ contentType: "text/event-stream", body }));
  await page.route("**/v1/rollouts/**", (route) => route.fulfill({ json: { points: [] } }));
  await page.route("**/v1/audit**", (route) => route.fulfill({ json: { lines: [] } }));
  await signIn(page, url, "ann");
  for (const at of ["", `#/rollouts/${encodeURIComponent(evil)}`, "#/fleet"]) {
    await page.goto(url + at);
    await page.getByText(evil).first().waitFor();
    expect([at, await page.locator("#page :is(img, script)").count(), await page.evaluate("window.hacked")]).toEqual([at, 0, undefined]);
  }
});

test("the page is small, strict, and its own", async ({ world: { url } }) => {
  const folder = join(packageRoot(), "dist", "ui");
  const files = ["index.html", "page.js", "page.css", "icon.svg"];
  const sizes = await Promise.all(files.map(async (file) => gzipSync(await readFile(join(folder, file))).length));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
  const { headers } = await fetch(url);
  const policy = headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|http|data:/);
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  const text = await (await fetch(url)).text();
  expect(text.match(/(src|href)="[^"]*"/g)).toEqual(['href="icon.svg"', 'href="page.css"', 'src="page.js"']);
  expect((await fetch(url, { method: "POST" })).status).toBe(405);
});
