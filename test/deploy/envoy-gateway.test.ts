import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { type CommandResult, runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { TRANSLATED } from "../support/envoy-gateway.ts";
import { EGCTL, goTool } from "../support/go.ts";

const FILES = ["deploy/envoy-gateway/gateway.yaml", "deploy/envoy-gateway/routes.yaml", "test/deploy/envoy-gateway-services.yaml"];

/** What Envoy Gateway makes of files, and says of them. */
async function translate(change: (text: string) => string = (text) => text, files: readonly string[] = FILES): Promise<CommandResult> {
  const egctl = await goTool(EGCTL);
  const directory = await mkdtemp(join(tmpdir(), "serin-egctl-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const texts = await Promise.all(files.map((file) => readFile(join(packageRoot(), file), "utf8")));
  const file = join(directory, "all.yaml");
  await writeFile(file, change(texts.join("---\n")));
  const options = ["--from", "gateway-api", "--to", "gateway-api,xds", "--type", "all", "--output", "json", "--file", file];
  return await runCommand(egctl, ["experimental", "translate", ...options], 60_000);
}

/** Every object within that has a `type` and a `status`: a condition that Envoy Gateway sets. */
function conditionsIn(value: unknown): { type: string; status: string }[] {
  if (typeof value !== "object" || value === null) return [];
  const own = "type" in value && "status" in value ? [{ type: String(value.type), status: String(value.status) }] : [];
  return [...own, ...Object.values(value).flatMap(conditionsIn)];
}

test("Envoy Gateway accepts every document, and makes of them what CI runs; `npx vitest run --project deploy -u` records it", async () => {
  const { code, stdout, stderr } = await translate();
  expect([code, stderr]).toEqual([0, ""]);
  const { xds, ...documents }: { xds: object } = JSON.parse(stdout);
  const conditions = conditionsIn(documents);
  expect(conditions.filter(({ type }) => type === "Accepted").length).toBeGreaterThanOrEqual(7);
  expect(conditions.filter(({ status }) => status !== "True")).toEqual([]);
  await expect(stringify(xds)).toMatchFileSnapshot(join(packageRoot(), TRANSLATED));
});

test("the overlay for Envoy Gateway is translated to the same", async () => {
  const [, ...others] = FILES;
  const { code, stdout, stderr } = await translate(undefined, ["test/deploy/golden/kustomize/envoy-gateway.yaml", ...others]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stringify(JSON.parse(stdout).xds)).toBe(await readFile(join(packageRoot(), TRANSLATED), "utf8"));
});

test.each([
  { fault: "a field that there is not", from: "failOpen: true", to: "failOpn: true" },
  { fault: "a duration without a unit", from: "messageTimeout: 100ms", to: "messageTimeout: soon" },
])("Envoy Gateway refuses $fault", async ({ from, to }) => {
  const { code, stderr } = await translate((text) => text.replace(from, to));
  expect([code, stderr]).toEqual([1, expect.stringMatching(/failOpn|soon/)]);
});
