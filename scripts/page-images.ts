/**
 * Takes the pictures of the page that the docs show, of a live system: `npm run docs:images`. It takes a minute, and each time another
 * picture comes out, so nothing compares them.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Page } from "playwright-core";
import { findProgram, programCacheDir } from "../src/demo/programs.ts";
import { waitFor } from "../src/demo/wait-for.ts";
import { createLog } from "../src/io/log.ts";
import { packageRoot } from "../src/io/package-root.ts";
import { readJudge } from "../src/io/store.ts";
import { findChromium } from "../test/support/chromium.ts";
import { type PageWorld, signIn, startPageWorld } from "../test/support/page-world.ts";
import { applyRollout, connect, hasBegun, heldAt, rolloutOf, startLoad, waitForLive } from "../test/support/stack.ts";

const images = join(packageRoot(), "docs", "images");
const options = { env: process.env, cacheDir: programCacheDir(), log: createLog({ name: "images", level: "warn" }) };

async function takeAll({ stack, url, browser }: PageWorld): Promise<void> {
  const open = async (width: number, colorScheme: "light" | "dark"): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width, height: 640 }, colorScheme, timezoneId: "UTC", locale: "en-GB" });
    const page = await context.newPage();
    await signIn(page, url, "ann");
    return page;
  };
  const take = (page: Page, name: string) => page.screenshot({ path: join(images, `page-${name}.png`) });
  const link = await connect(stack);
  const search = { ...rolloutOf("search", heldAt("10%")), match: { hosts: ["search.example"] } };
  await applyRollout(stack, search);
  await applyRollout(
    stack,
    rolloutOf("checkout", [{ share: "20%", minTime: "8s", minSample: 10 }, { share: "40%", minTime: "1h" }, { share: "70%" }]),
  );
  const load = startLoad(stack, 80);
  await waitForLive(link, "checkout", (live) => hasBegun(live) && live.plan.phase === "stage" && live.plan.stage === 1, 180_000);
  const page = await open(1_100, "light");
  const judged = async (): Promise<boolean> => ((await readJudge(link, "checkout"))?.totals.canary.requests ?? 0) > 250;
  await waitFor(judged, { deadlineMs: 90_000, what: "the canary to be known" });
  await page.getByRole("row", { name: /checkout/ }).waitFor();
  await take(page, "rollouts");
  await page.goto(`${url}#/explain`);
  await page.getByLabel("Host").fill("shop.example");
  await page.getByLabel("Headers").fill("x-user-id: alice");
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByRole("region", { name: "Answer" }).waitFor();
  await take(page, "explain");
  await page.goto(`${url}#/fleet`);
  await page.getByRole("row", { name: /sidecar-1/ }).waitFor();
  await take(page, "fleet");
  await page.goto(`${url}#/rollouts/checkout`);
  await page.getByRole("button", { name: "Abort" }).click();
  await page.getByLabel("Reason").fill("wrong build");
  await take(page, "abort");
  await page.getByRole("button", { name: "Do nothing" }).click();
  stack.canary.failPart(0.6);
  await page.locator(".phase", { hasText: /^rolled back/ }).waitFor();
  await page.getByRole("row", { name: /rolledBack/ }).waitFor();
  await page.setViewportSize({ width: 1_000, height: 1_500 });
  await take(page, "rollout");
  const narrow = await open(360, "dark");
  await narrow.goto(`${url}#/rollouts/checkout`);
  await narrow.getByRole("row", { name: /rolledBack/ }).waitFor();
  await take(narrow, "narrow");
  await load.stop();
  await link.close();
}

mkdirSync(images, { recursive: true });
const [envoy, nats, chromium] = await Promise.all([
  findProgram("envoy", options),
  findProgram("nats-server", options),
  findChromium(options),
]);
const world = await startPageWorld({ envoyProgram: envoy.path, natsServerProgram: nats.path }, chromium);
try {
  await takeAll(world);
} finally {
  await world.close();
}
