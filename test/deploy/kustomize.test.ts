import { readdirSync } from "node:fs";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { decodeManifests } from "../support/decode-manifests.ts";
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

/** Builds an overlay of one's own over the one for a plain Envoy. */
async function buildOwn(text: string) {
  // Kustomize takes other folders by relative paths only.
  const folder = await mkdtemp(join(tmpdir(), "serin-overlay-"));
  const base = relative(await realpath(folder), join(root, "overlays", "envoy"));
  await writeFile(join(folder, "kustomization.yaml"), `resources: [${base}]\n${text}`);
  const result = await build(folder);
  await rm(folder, { recursive: true });
  return result;
}

test("an own overlay with another NATS and another image changes these and nothing else", async () => {
  const lines = [
    "images: [{ name: registry.example/serin, newName: other.example/serin, newTag: 0.2.0 }]",
    'configMapGenerator: [{ name: serin, namespace: serin, behavior: merge, literals: ["SERIN_NATS=nats://nats.shop:4222"] }]',
  ];
  const { code, stdout } = await buildOwn(`${lines.join("\n")}\n`);
  expect(code).toBe(0);
  const usual = (text: string): string => text.replaceAll(/serin-[a-z0-9]{10}\b/g, "serin-HASH");
  const committed = usual(await readFile(join(golden, "envoy.yaml"), "utf8"));
  expect(usual(stdout)).toBe(
    committed
      .replaceAll("registry.example/serin:0.1.0", "other.example/serin:0.2.0")
      .replace("nats://serin-nats.serin:4222", "nats://nats.shop:4222"),
  );
});

test("the page's patches let controllers look at Kubernetes, and nobody else", async () => {
  const page = await readFile(join(packageRoot(), "docs", "kubernetes.md"), "utf8");
  const [, patches = ""] = /^```yaml patches\n(.*?)^```/ms.exec(page) ?? [];
  const { code, stdout } = await buildOwn(patches);
  expect(code).toBe(0);
  const mounting = workloadsOf(manifestsOf(stdout)).filter(({ pod }) => pod.automountServiceAccountToken);
  expect(mounting.map(({ name, containers }) => [name, containers.flatMap(({ args }) => args)])).toEqual([
    ["serin-controller", ["controller", "--http", "0.0.0.0:9465", "--kubernetes"]],
  ]);
});
