import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { goTool, ISTIOCTL } from "../support/go.ts";

const GATEWAY = "deploy/istio/gateway.yaml";
const FILES = [GATEWAY, "deploy/istio/outbound.yaml", "deploy/istio/routes.yaml"];
const OVERLAY = "test/deploy/golden/kustomize/istio.yaml";

let istioctl: string;
beforeAll(async () => {
  istioctl = await goTool(ISTIOCTL);
});

/** Exit code and all that istioctl says. */
async function run(...args: readonly string[]): Promise<{ code: number | undefined; said: string }> {
  const { code, stdout, stderr } = await runCommand(istioctl, args, 60_000);
  return { code, said: `${stdout}${stderr}` };
}

const at = (file: string): string => resolve(packageRoot(), file);
const validate = (file: string) => run("validate", "-f", at(file));

/** What is said of every EnvoyFilter, and of pods outside the mesh. */
const ALWAYS = [/^".+" (is valid|has warnings: )$/, /EnvoyFilter exposes internal implementation details/, /may not provide Istio metrics/];

/** What istioctl says besides: of unknown fields in Envoy's own configuration it only warns. */
const remarks = (said: string): string[] => said.split("\n").filter((line) => line !== "" && !ALWAYS.some((known) => known.test(line)));

/** The gateway's file with one word changed. */
async function changed(from: string, to: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "serin-istio-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const text = await readFile(at(GATEWAY), "utf8");
  expect(text).toContain(from);
  await writeFile(join(directory, "changed.yaml"), text.replace(from, to));
  return join(directory, "changed.yaml");
}

test.each([...FILES, OVERLAY])("istioctl accepts every document of %s, and every field of them", async (file) => {
  const { code, said } = await validate(file);
  expect([code, remarks(said)]).toEqual([0, []]);
});

test.each([
  { what: "a field of Envoy", from: "failure_mode_allow:", to: "failure_mode_alow:" },
  { what: "a field of Istio", from: "workloadSelector:", to: "workloadSelektor:" },
])("$what that is misspelt is told", async ({ from, to }) => {
  const { said } = await validate(await changed(from, to));
  expect(remarks(said).join("\n")).toContain(`unknown field "${to.replace(":", "")}"`);
});

const analyze = (...files: readonly string[]) => run("analyze", "--use-kube=false", "--all-namespaces", ...files.map(at));

test("istioctl's analysis of all files finds nothing", async () => {
  const { code, said } = await analyze(...FILES);
  expect([code, remarks(said)]).toEqual([0, []]);
  expect(said).toContain("EnvoyFilter edge/serin");
});

test("istioctl's analysis would tell of a filter without priority, which another may displace", async () => {
  expect(remarks((await analyze(await changed("priority: 10", "# none"))).said)).toEqual([expect.stringContaining("IST0151")]);
});
