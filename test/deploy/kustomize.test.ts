import { readdirSync } from "node:fs";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { decodeManifests } from "../support/decode-manifests.ts";
import { blocksOf } from "../support/doc-blocks.ts";
import { goTool } from "../support/go.ts";
import { manifestsOf, workloadsOf } from "../support/manifests.ts";

const root = join(packageRoot(), "deploy", "kustomize");
const golden = join(packageRoot(), "test", "deploy", "golden", "kustomize");
const COMMAND_MS = 60_000;

/** Theirs are other tools' to check: istioctl and egctl. */
const OTHERS = ["networking.istio.io", "gateway.networking.k8s.io", "gateway.envoyproxy.io"];

let kustomize: string;

beforeAll(async () => {
  kustomize = await goTool({ name: "kustomize", package: "sigs.k8s.io/kustomize/kustomize/v5", version: "v5.6.0" });
});

const build = (folder: string) => runCommand(kustomize, ["build", folder], COMMAND_MS);

describe.each(readdirSync(join(root, "overlays")))("the overlay %s", (name) => {
  const target = join(golden, `${name}.yaml`);

  test("builds what is committed", async () => {
    const { code, stdout, stderr } = await build(join(root, "overlays", name));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    await expect(stdout).toMatchFileSnapshot(target);
  });

  test("builds only objects that Kubernetes knows, field by field", async () => {
    const own = manifestsOf(await readFile(target, "utf8")).filter(({ apiVersion }) => !OTHERS.includes(apiVersion.split("/")[0] ?? ""));
    expect(await decodeManifests([target], OTHERS)).toEqual({ code: 0, stdout: `${own.length} decoded\n`, stderr: "" });
  });
});

const page = (name: string): Promise<string> => readFile(join(packageRoot(), "docs", name), "utf8");

/** Builds an overlay of one's own, in which `../serin/` stands for this project. */
async function buildOwn(text: string) {
  // Kustomize takes other folders by relative paths only.
  const folder = await mkdtemp(join(tmpdir(), "serin-overlay-"));
  const project = relative(await realpath(folder), packageRoot());
  await writeFile(join(folder, "kustomization.yaml"), text.replace("../serin/", `${project}/`));
  const result = await build(folder);
  await rm(folder, { recursive: true });
  return result;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

test.each([
  { of: "envoy", file: "kubernetes.md" },
  { of: "istio", file: "istio.md" },
  { of: "envoy-gateway", file: "envoy-gateway.md" },
])("an own overlay over $of, as $file shows it, has another NATS and another image, and nothing else", async ({ of, file }) => {
  const [own = ""] = blocksOf(await page(file), "yaml kustomization");
  const { code, stdout, stderr } = await buildOwn(own.replace("newTag: 0.1.0", "newTag: 0.2.0"));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const usual = (text: string): string => text.replaceAll(/(serin|sidecar)-[a-z0-9]{10}\b/g, "$1-HASH");
  const committed = usual(await readFile(join(golden, `${of}.yaml`), "utf8"));
  const [here, there] = ["nats://serin-nats.serin:4222", "nats://nats.nats:4222"];
  expect(usual(stdout)).toBe(
    committed
      .replaceAll("registry.example/serin:0.1.0", "other.example/serin:0.2.0")
      .replace(here, there)
      .replace(base64(here), base64(there)),
  );
});

test("the page's patches let controllers look at Kubernetes, and nobody else", async () => {
  const [patches = ""] = blocksOf(await page("kubernetes.md"), "yaml patches");
  const { code, stdout } = await buildOwn(`resources: [../serin/deploy/kustomize/overlays/envoy]\n${patches}`);
  expect(code).toBe(0);
  const mounting = workloadsOf(manifestsOf(stdout)).filter(({ pod }) => pod.automountServiceAccountToken);
  expect(mounting.map(({ name, containers }) => [name, containers.flatMap(({ args }) => args)])).toEqual([
    ["serin-controller", ["controller", "--http", "0.0.0.0:9465", "--kubernetes"]],
  ]);
});
