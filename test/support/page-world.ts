import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type Browser, chromium, type Page } from "playwright-core";
import { type Stack, type StackOptions, startStack } from "../../src/demo/stack.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { digestOf, tokenLine } from "../../src/io/tokens.ts";
import { patient } from "./edge-config.ts";
import { LEASE, waitForFleet } from "./fleet.ts";
import { freePort } from "./free-port.ts";

const NAMES = { ann: "operate", boss: "approve", board: "view" } as const;

/** A token of each role, by the name that stands in the audit. */
export type TokenName = keyof typeof NAMES;

const tokenOf = (name: TokenName): string => `serin_${name}`;

/** A running system with a browser beside it. */
export interface PageWorld {
  readonly stack: Stack;
  /** Of the page, with `/` at its end. */
  readonly url: string;
  readonly browser: Browser;
  close(): Promise<void>;
}

/** Starts all parts as processes, a controller that serves the page, and Chromium. */
export async function startPageWorld(
  programs: Pick<StackOptions, "envoyProgram" | "natsServerProgram">,
  chromiumProgram: string,
): Promise<PageWorld> {
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), "serin-page-"));
  const tokens = join(directory, "tokens");
  const lines = Object.entries(NAMES).map(([name, role]) => tokenLine({ name, role, digest: digestOf(`serin_${name}`) }));
  await writeFile(tokens, `${lines.join("\n")}\n`);
  const stack = await startStack({
    ...programs,
    serinBin: join(packageRoot(), "dist", "bin", "serin.js"),
    env: process.env,
    sidecars: 2,
    controllers: 1,
    envoyChange: patient,
    sidecarArgsOf: (index) => ["--label", `zone=${["a", "b"][index]}`],
    controllerArgs: [...LEASE, "--http", `127.0.0.1:${port}`, "--tokens", tokens],
  });
  try {
    await waitForFleet(stack);
    // As root, and in a container, Chromium has no sandbox of its own; it sees nothing but this page.
    const browser = await chromium.launch({ executablePath: chromiumProgram, args: ["--no-sandbox"] });
    const close = async (): Promise<void> => {
      await browser.close();
      await stack.stop();
      await rm(directory, { recursive: true });
    };
    return { stack, url: `http://127.0.0.1:${port}/`, browser, close };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** Gives the page a token, and waits until it shows something. */
export async function signIn(page: Page, url: string, name: TokenName): Promise<void> {
  await page.goto(url);
  await page.getByLabel("Token").fill(tokenOf(name));
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByRole("navigation").waitFor();
}
