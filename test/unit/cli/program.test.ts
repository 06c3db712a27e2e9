import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../../src/io/package-root.ts";
import { runWith } from "./cli-parts.ts";

const CHECKOUT = join(packageRoot(), "docs", "examples", "checkout.yaml");
const directory = mkdtempSync(join(tmpdir(), "serin-cli-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Writes a file for a test and returns its path. */
function fileOf(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const rulesFile = async (...share: string[]): Promise<string> =>
  fileOf(`rules${share.join("")}.json`, (await runWith(["rules", "-f", CHECKOUT, ...share])).out);

describe("exit codes", () => {
  test.each([
    { title: "help is done", args: ["--help"], code: 0 },
    { title: "version is done", args: ["version"], code: 0 },
    { title: "an unknown command is a usage error", args: ["explode"], code: 2 },
    { title: "an unknown flag is a usage error", args: ["status", "--colour"], code: 2 },
    { title: "a missing name is a usage error", args: ["abort"], code: 2 },
    { title: "a time without a unit is a usage error", args: ["watch", "--timeout", "10"], code: 2 },
    { title: "a file that is not there is a usage error", args: ["rules", "-f", "/nowhere.yaml"], code: 2 },
    { title: "a valid file checked is done", args: ["apply", "-f", CHECKOUT, "--dry-run"], code: 0 },
    { title: "no NATS is no leader", args: ["status", "--nats", "nats://127.0.0.1:1"], code: 4 },
    { title: "the demo's own code is handed on", args: ["demo"], code: 0 },
  ])("$title: $code", async ({ args, code }) => {
    expect((await runWith(args)).code).toBe(code);
  });

  test("an error of ours is 1, with the stack for whoever mends it", async () => {
    const ran = await runWith(["demo"], { runDemo: () => Promise.reject(new TypeError("ours")) });
    expect(ran.code).toBe(1);
    expect(ran.error).toContain("TypeError: ours\n    at ");
  });
});

test("`serin apply --dry-run` tells what a ramp would do", async () => {
  const example = join(packageRoot(), "docs", "examples", "ramp.yaml");
  const { out } = await runWith(["apply", "-f", example, "--dry-run"]);
  expect(out).toContain(
    "  ramp: from what 20 failed requests allow to 50 % by the evidence, 5 min at least, paused after 1 h without proof\n",
  );
  expect(out).toContain("  then 95 % for 30 min, then 100 %\n");
});

test("`serin apply --dry-run` tells what the rollout would do, a preset written out", async () => {
  const file = fileOf(
    "dry.yaml",
    "apiVersion: serin/v1\nkind: Rollout\nname: a\nmatch: {hosts: [a.example]}\nkey: [{header: x-user}, {clientAddress: true}]\nvariants: {stable: {cluster: s}, canary: {cluster: c}}\nstrategy: {use: fast}\nchecks: {errors: {maxIncrease: 1%}}\n",
  );
  expect((await runWith(["apply", "-f", file, "--dry-run"])).out.split("\n")).toEqual([
    "a: valid, nothing sent",
    "  hosts a.example, paths prefix /",
    "  key header x-user, then the client's address",
    "  stage 1: 1 % for 10 s at least, 50 outcomes of the canary",
    "  stage 2: 5 % for 10 s at least, 200 outcomes of the canary",
    "  stage 3: 25 % for 10 s at least, 500 outcomes of the canary",
    "  stage 4: 50 % for 10 s at least, 1000 outcomes of the canary",
    "  checks: errors at most 1 point worse than stable, slow requests at most 0.5 points",
    "",
  ]);
});

test.each(["apply", "rules", "explain", "watch", "simulate"])(
  "the help of `serin %s` shows no default that nobody can write",
  async (verb) => {
    const { out } = await runWith([verb, "--help"]);
    expect(out).toContain("Options:");
    expect(out).not.toMatch(/default:\s+(\[\]|\{\})/);
  },
);

describe("a command line that cannot be understood", () => {
  test.each([
    [["apply"], "error: required option '-f, --file <file>' not specified\n`serin help apply` tells what it takes\n"],
    [["lint", "a.yaml"], "error: required option '-f, --file <file>' not specified\n`serin help lint` tells what it takes\n"],
    [["promote"], "error: missing required argument 'name'\n`serin help promote` tells what it takes\n"],
    [["status", "--jsn"], "error: unknown option '--jsn'\n(Did you mean --json?)\n`serin help status` tells what it takes\n"],
    [["completion"], "error: missing required argument 'shell'\n`serin help completion` tells what it takes\n"],
    [["stauts"], "error: unknown command 'stauts'\n(Did you mean status?)\n`serin help` lists all commands\n"],
  ])("is told with where to look: %j", async (args, said) => {
    const { code, out, error } = await runWith(args);
    expect({ code, out, error }).toEqual({ code: 2, out: "", error: said });
  });

  test("is told as JSON on stdout with --json", async () => {
    const { code, out } = await runWith(["pause", "--json"]);
    expect([code, JSON.parse(out)]).toEqual([2, { error: { code: "USAGE", message: "missing required argument 'name'" } }]);
  });
});

describe("an invalid file", () => {
  const bad = fileOf(
    "bad.yaml",
    "apiVersion: serin/v1\nkind: Rollout\nname: a\nkey: [{header: x-user}]\nvariants: {stable: {cluster: s}, canary: {cluster: c}}\nstrategy: {type: canary, stages: [{share: 5}]}\nextra: 1\n",
  );
  const lines = [
    `${bad}:6:43: strategy.stages[0].share: 5 has no unit; write 5%`,
    expect.stringMatching(/bad.yaml:7:1: extra: unknown key; known keys are apiVersion, .*, onUnwatched$/),
  ];

  test("is refused with every fault, where, what and the fix, before anything is sent", async () => {
    const ran = await runWith(["apply", "-f", CHECKOUT, "-f", bad, "--nats", "nats://127.0.0.1:1"]);
    expect({ code: ran.code, lines: ran.error.trim().split("\n"), out: ran.out }).toEqual({ code: 2, lines, out: "" });
  });

  test("is told as JSON on stdout with --json", async () => {
    const ran = await runWith(["apply", "-f", bad, "--dry-run", "--json"]);
    const { error } = JSON.parse(ran.out);
    expect({ code: error.code, places: error.faults.map(({ line, column }: { line: number; column: number }) => [line, column]) }).toEqual({
      code: "DOCUMENT_INVALID",
      places: [
        [6, 43],
        [7, 1],
      ],
    });
  });
});

describe("rules", () => {
  test("have a share of 0 % unless one is given", async () => {
    expect(JSON.parse((await runWith(["rules", "-f", CHECKOUT])).out).rollouts.checkout.live.shareBp).toBe(0);
    expect(JSON.parse((await runWith(["rules", "-f", CHECKOUT, "--share", "checkout=12.5%"])).out).rollouts.checkout.live.shareBp).toBe(
      1_250,
    );
  });

  test("refuse a share for a rollout that is in no file", async () => {
    const ran = await runWith(["rules", "-f", CHECKOUT, "--share", "chekout=5%"]);
    expect([ran.code, ran.error]).toEqual([2, "--share chekout: no file holds a rollout of that name; there are checkout\n"]);
  });

  const lanes = (): string =>
    fileOf(
      "lanes.yaml",
      "apiVersion: serin/v1\nkind: Rollout\nname: ranking\nkey: [{header: x-user}]\nvariants: {stable: {cluster: s}, a: {cluster: a, lane: 40%}, b: {cluster: b, lane: 30%}}\nstrategy: {type: canary, stages: [{share: 1%}]}\n",
    );

  test("take a share for each variant that grows", async () => {
    const ran = await runWith(["rules", "-f", lanes(), "--share", "ranking=10%", "--share", "ranking/b=20%"]);
    expect(JSON.parse(ran.out).rollouts.ranking.live).toEqual({
      run: 1,
      shareBp: 1_000,
      off: false,
      whenUnwatched: "stable",
      shares: { b: 2_000 },
    });
    const named = await runWith(["rules", "-f", lanes(), "--share", "ranking/a=10%"]);
    expect(JSON.parse(named.out).rollouts.ranking.live).toEqual({ run: 1, shareBp: 1_000, off: false, whenUnwatched: "stable" });
  });

  test.each([
    ["ranking=50%", "--share ranking: 50% is more than the lane of a, 40%; write at most that, or give a a wider lane"],
    ["ranking/b=31%", "--share ranking/b: 31% is more than the lane of b, 30%; write at most that, or give b a wider lane"],
    ["ranking/c=1%", "--share ranking/c: c is no variant that grows beside a; write b"],
    ["rankin/b=1%", "--share rankin/b: no file holds a rollout of that name; there are ranking"],
  ])("refuse --share %s", async (share, message) => {
    const ran = await runWith(["rules", "-f", lanes(), "--share", share]);
    expect([ran.code, ran.error]).toEqual([2, `${message}\n`]);
  });

  test("hold users as hashes only", async () => {
    const file = fileOf(
      "users.yaml",
      "apiVersion: serin/v1\nkind: Rollout\nname: u\nkey: [{header: x-user}]\nvariants: {stable: {cluster: s}, canary: {cluster: c}}\ntargets: [{name: t, when: {users: [alice@example.com]}, variant: canary}]\nstrategy: {use: fast}\n",
    );
    const { out } = await runWith(["rules", "-f", file]);
    expect(out).not.toContain("alice");
    const explained = await runWith([
      "explain",
      "--rules",
      fileOf("u.json", out),
      "--host",
      "a",
      "--path",
      "/",
      "--header",
      "X-User=alice@example.com",
    ]);
    expect(explained.out).toContain("target t holds: canary");
    expect(explained.out).not.toContain("alice");
  });
});

describe("explain", () => {
  test("ends with the variant that a sidecar with these rules decides", async () => {
    const rules = await rulesFile("--share", "checkout=100%");
    const ran = await runWith([
      "explain",
      "--rules",
      rules,
      "--host",
      "shop.example",
      "--path",
      "/checkout/1?a=b",
      "--header",
      "x-user-id=u1",
      "--json",
    ]);
    expect(JSON.parse(ran.out).decision).toMatchObject({
      variant: "canary",
      reason: "share",
      rollout: "checkout",
      keySource: "header x-user-id",
    });
  });

  test("refuses a file that is not a rule set, with the way to make one", async () => {
    const ran = await runWith(["explain", "--rules", CHECKOUT, "--host", "a", "--path", "/"]);
    expect([ran.code, ran.error]).toEqual([2, `${CHECKOUT} is not JSON; make it with \`serin rules -f ROLLOUT > ${CHECKOUT}\`\n`]);
  });
});

describe("sidecar and controller", () => {
  test("get their options in milliseconds, and an id that is the same at the next start", async () => {
    const args = ["sidecar", "--ext-proc", "unix:/tmp/a.sock", "--nats", "nats://n:4222", "--unwatched-after", "1m", "--drain", "250ms"];
    const [first, second] = [await runWith(args), await runWith(args)];
    expect(first.started).toEqual([
      {
        id: expect.stringMatching(/^edge-example-[a-z0-9]+$/),
        extProc: "unix:/tmp/a.sock",
        source: { nats: "nats://n:4222" },
        unwatchedAfterMs: 60_000,
        drainMs: 250,
        otlp: false,
      },
    ]);
    expect(second.started).toEqual(first.started);
  });

  test.each([
    { args: [], error: "the rules are missing; give --nats URL or --rules FILE\n" },
    { args: ["--nats", "nats://n", "--rules", "r.json"], error: "--nats and --rules exclude each other; rules come from one of them\n" },
  ])("a sidecar started with $args is refused", async ({ args, error }) => {
    const ran = await runWith(["sidecar", "--ext-proc", "unix:a", ...args]);
    expect([ran.code, ran.error]).toEqual([2, error]);
  });
});
