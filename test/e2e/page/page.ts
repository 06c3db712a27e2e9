import process from "node:process";
import type { BrowserContextOptions, Page } from "playwright-core";
import { test as base, expect, inject } from "vitest";
import { programCacheDir } from "../../../src/demo/programs.ts";
import { findChromium } from "../../support/chromium.ts";
import { type PageWorld, startPageWorld } from "../../support/page-world.ts";

/** A page whose console must stay without errors, and which asks nobody but its controller. */
export interface Watched {
  readonly page: Page;
  /** Errors of the console and of scripts so far; those that a test causes on purpose it takes out. */
  readonly errors: string[];
}

interface Fixtures {
  /** One system for all tests of a file. */
  world: PageWorld;
  /** Opens a page; all are closed, and their errors looked at, when the test ends. */
  open(options?: BrowserContextOptions): Promise<Watched>;
}

export const test = base.extend<Fixtures>({
  world: [
    async ({}, use) => {
      const program = await findChromium({ env: process.env, cacheDir: programCacheDir() });
      const programs = { envoyProgram: inject("envoyProgram"), natsServerProgram: inject("natsServerProgram") };
      const world = await startPageWorld(programs, program);
      await use(world);
      await world.close();
    },
    { scope: "file" },
  ],
  open: async ({ world }, use) => {
    const opened: Watched[] = [];
    await use(async (options) => {
      const context = await world.browser.newContext(options);
      const page = await context.newPage();
      const errors: string[] = [];
      page.on("console", (message) => void (message.type() === "error" && errors.push(message.text())));
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("request", (request) => void (request.url().startsWith(world.url) || errors.push(`asks ${request.url()}`)));
      page.on("dialog", (dialog) => {
        errors.push(`a dialog opened: ${dialog.message()}`);
        void dialog.dismiss();
      });
      opened.push({ page, errors });
      return { page, errors };
    });
    for (const { page } of opened) await page.context().close();
    expect(opened.map(({ errors }) => errors)).toEqual(opened.map(() => []));
  },
});
