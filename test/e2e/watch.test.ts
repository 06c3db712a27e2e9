import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { NatsLink } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { applyRollout, connect, hasBegun, heldAt, rolloutOf, type Stack, startStack, waitForLive } from "../support/stack.ts";
import { runInTerminal, type TerminalRun } from "../support/terminal.ts";

const serin = `${process.execPath} ${join(packageRoot(), "dist", "bin", "serin.js")}`;

/** What was written since the terminal was given back, with its cursor. */
const leftBy = (run: TerminalRun): string => run.written().split("\u001b[?25h\u001b[?1049l")[1] ?? "";

describe("a terminal", () => {
  let stack: Stack;
  let link: NatsLink;
  let terminal: TerminalRun;
  beforeAll(async () => {
    stack = await startStack();
    link = await connect(stack);
  });
  afterAll(async () => {
    await link.close();
    await stack.stop();
  });
  beforeEach(async () => {
    await applyRollout(stack, rolloutOf("checkout", heldAt("25%")));
    await waitForLive(link, "checkout", hasBegun);
  });
  afterEach(() => terminal.stop());

  /** Watches, and tells at the end whether the terminal reads whole lines and shows what is typed, as before. */
  const watch = (args: string): TerminalRun => {
    terminal = runInTerminal(`${serin} watch ${args}; code=$?; stty -a | grep -o ' -\\?icanon\\| -\\?echo '; exit $code`, {
      ...process.env,
      SERIN_NATS: stack.nats.url,
    });
    return terminal;
  };

  test("shows a rollout live, and a key aborts it when it is confirmed", async () => {
    const shown = watch("checkout --until ended");
    await shown.waitForLine(/▶ 1\. 25 %/);
    expect(shown.screen()[0]).toMatch(/^serin · checkout +\d\d:\d\d:\d\d UTC$/);
    await shown.waitForLine(/^2 sidecars known, 2 heard just now$/);

    shown.press("a");
    await shown.waitForLine(/^abort: checkout sends everyone back to stable\. Enter does it/);
    shown.press("\u001b");
    await shown.waitForLine(/^n promotes/);
    shown.press("awrong prices");
    await shown.waitForLine(/^reason: wrong prices/);
    shown.press("\r");

    expect(await shown.ended).toBe(3);
    expect(leftBy(shown)).toMatch(/rolled back \(.*wrong prices.*\)/);
    expect(leftBy(shown)).toMatch(/ icanon\s+echo /);
    const { plan } = await waitForLive(link, "checkout", (live) => live.plan.phase === "rolledBack");
    expect(plan).toMatchObject({ reason: expect.stringContaining("wrong prices") });
  });

  test("shows a rollback that somebody else asked for, and is given back when the watch is left", async () => {
    const shown = watch("");
    await shown.waitForLine(/▶ 1\. 25 %/);
    await stack.serin("abort", "checkout", "--reason", "looked wrong");
    await shown.waitForLine(/^rolled back \(.*looked wrong.*\)/);
    shown.press("q");
    expect(await shown.ended).toBe(0);
    expect(leftBy(shown)).toMatch(/ icanon\s+echo /);
    // Nothing is placed on the ordinary screen.
    expect(leftBy(shown)).not.toContain("\u001b[");
  });

  test.each([
    ["has colours", "", true, ""],
    ["has none with --no-color", "--no-color", false, ""],
    ["has none with NO_COLOR", "", false, "NO_COLOR=1"],
  ] as const)("%s", async (_, flag, isColoured, variable) => {
    terminal = runInTerminal(`env -u NO_COLOR ${variable} ${serin} watch ${flag}`, { ...process.env, SERIN_NATS: stack.nats.url });
    await terminal.waitForLine(isColoured ? /25 %/ : /▶ 1\. 25 %/);
    terminal.press("q");
    expect(await terminal.ended).toBe(0);
    // oxlint-disable-next-line eslint/no-control-regex -- this is what sets a colour on a terminal
    expect(/\u001b\[[\d;]+m/.test(terminal.written())).toBe(isColoured);
  });

  test("is given back when the watch is told to stop by a signal", async () => {
    const pidFile = join(stack.directory, "watch.pid");
    terminal = runInTerminal(`echo $$ > ${pidFile}; exec ${serin} watch`, { ...process.env, SERIN_NATS: stack.nats.url });
    await terminal.waitForLine(/▶ 1\. 25 %/);
    process.kill(Number(await readFile(pidFile, "utf8")), "SIGTERM");
    expect(await terminal.ended).toBe(0);
    expect(leftBy(terminal)).toContain("checkout");
  });
});
