import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { goTool } from "../support/go.ts";

const at = (...path: string[]): string => join(packageRoot(), ...path);
const FILES = ["gateway.yaml", "outbound.yaml", "routes.yaml"].map((file) => at("deploy", "istio", file));
const OVERLAY = at("test", "deploy", "golden", "kustomize", "istio.yaml");

let istioctl: string;
beforeAll(async () => {
  // Istio's tags are no versions for Go; this is its state of 2026-08-27, which calls itself 1.31.
  const version = "v0.0.0-20260827124520-eed52ebb66ad";
  istioctl = await goTool({ name: "istioctl", package: "istio.io/istio/istioctl/cmd/istioctl", version });
});

/** Exit code and all that istioctl says. */
async function run(...args: readonly string[]): Promise<{ code: number | undefined; said: string }> {
  const { code, stdout, stderr } = await runCommand(istioctl, args, 60_000);
  return { code, said: `${stdout}${stderr}` };
}

const validate = (file: string) => run("validate", "-f", file);

test.each([...FILES, OVERLAY])("Istio takes every document of %s, and knows every field of them: it only warns of others", async (file) => {
  expect(await validate(file)).toEqual({ code: 0, said: `"${file}" is valid\n` });
});

test.each([
  { what: "a field of Envoy", from: "failure_mode_allow:", to: "failure_mode_alow:" },
  { what: "a field of Istio", from: "workloadSelector:", to: "workloadSelektor:" },
])("a misspelt name of $what is told", async ({ from, to }) => {
  const directory = await mkdtemp(join(tmpdir(), "serin-istio-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "misspelt.yaml");
  await writeFile(file, (await readFile(at("deploy", "istio", "gateway.yaml"), "utf8")).replace(from, to));
  expect((await validate(file)).said).toContain(to.replace(":", ""));
});

test("istioctl's analysis finds nothing", async () => {
  const { code, said } = await run("analyze", "--use-kube=false", "--all-namespaces", ...FILES);
  expect([code, said]).toEqual([0, expect.stringContaining("No validation issues found")]);
});
