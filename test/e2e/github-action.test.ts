import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type PackedSerin, type ProgramResult, packSerin, runIn } from "../support/package.ts";
import { heldAt, rolloutOf, type Stack, startStack } from "../support/stack.ts";

interface Step {
  readonly run: string;
  readonly env: Readonly<Record<string, string>>;
}

const actionFolder = join(packageRoot(), "deploy", "github-action");

let packed: PackedSerin;
let stack: Stack;
let action: { inputs: Record<string, { default?: string }>; runs: { steps: Step[] } };
beforeAll(async () => {
  action = parse(await readFile(join(actionFolder, "action.yml"), "utf8"));
  packed = await packSerin();
  stack = await startStack({ sidecars: 1 });
  await mkdir(join(packed.folder, "rollouts", "shop"), { recursive: true });
  await writeFile(join(packed.folder, "rollouts", "shop", "cart.yaml"), stringify(rolloutOf("cart", heldAt("20%"))));
  await stepWith(0, { package: packed.tarball });
});
afterAll(async () => {
  await stack.stop();
  await packed.remove();
});

/** Runs one step of the action as a runner does: its script in bash, with its variables and the runner's. */
async function stepWith(index: number, inputs: Readonly<Record<string, string>>): Promise<ProgramResult & { summary: string }> {
  const summaryPath = join(packed.folder, "summary.md");
  await writeFile(summaryPath, "");
  const step = action.runs.steps[index] ?? { run: "exit 99", env: {} };
  const given = Object.entries(step.env).map(([name, text]) => {
    const input = /^\$\{\{ inputs\.(?<input>[a-z]+) \}\}$/.exec(text)?.groups?.["input"] ?? "";
    return [name, inputs[input] ?? action.inputs[input]?.default ?? ""] as const;
  });
  const runner = { RUNNER_TEMP: packed.folder, GITHUB_ACTION_PATH: actionFolder, GITHUB_STEP_SUMMARY: summaryPath };
  const about = { GITHUB_REPOSITORY: "shop/web", GITHUB_SHA: "1a2b3c", GITHUB_ACTOR: "ann" };
  const env = { ...packed.env, ...runner, ...about, ...Object.fromEntries(given) };
  const shell = ["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run];
  const result = await runIn({ cwd: packed.folder, env }, "bash", ...shell);
  return { ...result, summary: await readFile(summaryPath, "utf8") };
}

const serin = (inputs: Readonly<Record<string, string>>): ReturnType<typeof stepWith> => stepWith(1, inputs);

test("check tells of a valid folder, and with a server what apply would change", async () => {
  const { code, summary } = await serin({ mode: "check", files: "rollouts", nats: stack.nats.url });
  expect([code, summary]).toEqual([
    0,
    "### Serin: lint\n\n    valid: cart\n\n### Serin: what apply would change\n\n    cart: new, nothing of that name was applied\n\n",
  ]);
});

test("the example checks a pull request with the secret that names NATS, and lints alone where a fork has none", async () => {
  const { jobs } = parse(await readFile(join(actionFolder, "example.yml"), "utf8"));
  const given: Record<string, string> = jobs.check.steps.at(-1).with;
  const secretOf = (nats: string) =>
    Object.fromEntries(Object.entries(given).map(([name, text]) => [name, text.replace("${{ secrets.SERIN_NATS }}", nats)]));
  const known = await serin(secretOf(stack.nats.url));
  expect([known.code, known.summary]).toEqual([0, expect.stringContaining("### Serin: what apply would change\n\n    cart: new")]);
  const forked = await serin(secretOf(""));
  expect([forked.code, forked.summary]).toEqual([0, "### Serin: lint\n\n    valid: cart\n\n"]);
});

test("check puts a fault at its place in the file, and takes nothing that it reads for code or for a command to the runner", async () => {
  const name = "$(touch pwned);a.yaml";
  await writeFile(join(packed.folder, name), 'kind: Rollout\nname: "x\\n::add-mask::cart"\n"`touch pwned`": 1\n');
  const { code, out, summary } = await serin({ mode: "check", files: `\n${name}\n` });
  expect(code).toBe(2);
  const lines = out.trim().split("\n");
  expect(lines.filter((line) => !line.startsWith("::error "))).toEqual([]);
  expect(lines).toContainEqual(expect.stringMatching(/^::error file=\$\(touch pwned\);a\.yaml,line=3,col=1::`touch pwned`: unknown key/));
  expect(summary.split("\n").filter((line) => line !== "" && !/^( {4}|### Serin: lint$)/.test(line))).toEqual([]);
  await expect(readFile(join(packed.folder, "pwned"))).rejects.toThrow("ENOENT");
});

test("apply hands the files over under the name of the commit, and watch fails with the rollout", async () => {
  const nats = stack.nats.url;
  const applied = await serin({ mode: "apply", files: "rollouts/shop/cart.yaml", nats });
  expect(applied).toMatchObject({ code: 0, summary: expect.stringContaining("### Serin: apply\n\n    cart: ") });
  const audited = async () => (await stack.serin("audit", "cart", "--action", "apply")).out.includes("shop/web@1a2b3c by ann");
  await waitFor(audited, { deadlineMs: 20_000, what: "the audit of it" });
  const waited = await serin({ mode: "watch", name: "cart", nats, timeout: "250ms" });
  expect(waited).toMatchObject({ code: 4, summary: expect.stringContaining("only the wait is over") });
  await stack.serin("abort", "cart", "--reason", "::error::enough");
  const ended = await serin({ mode: "watch", name: "cart", nats, timeout: "30s" });
  expect(ended.code).toBe(3);
  // What a person wrote is shown while the runner does not listen.
  expect(ended.out).toMatch(/^::stop-commands::(?<pause>\S+)\n[^]*::\k<pause>::\n$/);
});

test.each([
  { inputs: { mode: "aply" }, error: "::error::mode: aply is none; write check, apply, watch\n" },
  { inputs: { mode: "watch" }, error: "::error::name: no rollout is named; name the one to watch\n" },
  {
    inputs: { mode: "check", files: " \n" },
    error: "::error::files: none are named, or the folder holds none; name files or folders, one a line\n",
  },
])("$inputs is refused with the fix", async ({ inputs, error }) => {
  expect(await serin(inputs)).toMatchObject({ code: 2, out: error });
});
