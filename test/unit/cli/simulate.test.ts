import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { barText } from "../../../src/cli/progress.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { type Ran, runWith } from "./cli-parts.ts";

const EXAMPLE = join(packageRoot(), "docs", "examples", "ramp.yaml");

/** Runs the command on the example, with a signal that never comes. */
const simulate = (args: readonly string[], columns?: number): Promise<Ran> =>
  runWith(["simulate", "-f", EXAMPLE, "--rps", "200", "--runs", "2", ...args], {
    signal: new AbortController().signal,
    columns: () => columns,
  });

describe("`serin simulate`", () => {
  test("tells how a good canary fares, draws its share, and says of each fault whom it harms", async () => {
    const { code, out, error } = await simulate(["--fault", "dead", "--fault", "errors 1%->20%"]);
    expect([code, error]).toEqual([0, ""]);
    expect(out).toMatch(/^payments at 200 requests a second, of which 0\.1 % fail and half take up to 80 ms; 2 runs each\n/);
    expect(out).toMatch(
      /good canary: 100 % promoted, half of them within 3\d min( \d+ s)? and nine of ten within .*; 0 % rolled back falsely/,
    );
    expect(out.split("\n").filter((line) => line.includes(" ┤"))).toHaveLength(6);
    expect(out).toMatch(/^ +100 % ┤ .*█$/m);
    expect(out).toMatch(/^dead +100 % +0 % +0 % +\d+ s \(\d+ s\) +\d+ \(\d+\) +\d+ \(\d+\)$/m);
    expect(out).toMatch(/^errors 1%->20% +100 % +0 % /m);
    expect(out).toContain("What happened in no run may still happen in 77.6 % of them.");
    // No colours, whatever NO_COLOR says.
    expect(out).not.toContain("\u001b");
  });

  test("prints JSON with the same figures, the same for the same seed", async () => {
    const [one, again, other] = [
      await simulate(["--fault", "dead", "--json"]),
      await simulate(["--fault", "dead", "--json"]),
      await simulate(["--fault", "dead", "--json", "--seed", "2"]),
    ];
    expect(JSON.parse(one.out)).toMatchObject({
      rollout: "payments",
      requestsPerSecond: 200,
      requestsPerUser: 10,
      runs: 2,
      cases: [
        { fault: null, promoted: 1, rolledBack: 0 },
        { fault: "dead", promoted: 0, rolledBack: 1, harmedUsers: { median: expect.any(Number), p90: expect.any(Number) } },
      ],
    });
    expect(again.out).toBe(one.out);
    expect(other.out).not.toBe(one.out);
  });

  test("shows on a terminal how far it is, and takes that away", async () => {
    const { error } = await simulate(["--fault", "dead"], 60);
    expect(error).toContain("\r\u001b[K████████░░░░░░░░░░░░░░░░░░░░░░ 25 %  a good canary");
    expect(error).toContain("75 %  dead");
    expect(error.endsWith("\r\u001b[K")).toBe(true);
  });

  test("stops when it is told to", async () => {
    const { code, error } = await runWith(["simulate", "-f", EXAMPLE, "--rps", "5"]);
    expect([code, error]).toEqual([1, "stopped before the end; nothing is left behind\n"]);
  });
});

describe("`serin simulate` refuses what it cannot use, and says how to put it right", () => {
  test.each([
    {
      args: ["--fault", "slow"],
      message:
        '--fault "slow": not a fault; write "errors 0.5%->2%", "latency +30%", "latency x2" or "dead", each with " from 10m" when it begins late\n',
    },
    { args: ["--rps", "0"], message: "Write a number above 0, like 500 or 0.5." },
    { args: ["--runs", "0"], message: "Write a whole number, at least 1." },
    { args: ["--errors", "5"], message: "Write a percentage below 100%, like 0.5%." },
    { args: ["--latency", "80"], message: "Write a whole number and ms, s, m, h or d, like 250ms or 10m." },
    { args: ["--latency", "0s"], message: "--latency 0: no request takes no time; write at least 1ms\n" },
    { args: ["--per-user", "many"], message: "Write a whole number, at least 1." },
    { args: ["other"], message: "holds payments; name one, like `serin simulate NAME -f" },
  ])("$args", async ({ args, message }) => {
    const { code, error } = await simulate(args);
    expect(code).toBe(2);
    expect(error).toContain(message);
  });
});

test.each([
  [0, 80, "░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 0 %  dead"],
  [1, 80, "██████████████████████████████ 100 %  dead"],
  [0.5, 10, "█████████"],
  [0.5, 0, ""],
])("a bar at %d on %d columns reads %s", (done, columns, text) => {
  expect(barText(done, "dead", columns)).toBe(text);
});
