import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stopAll } from "../../src/demo/stop-all.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { defineCustomResources } from "../support/custom-resources.ts";
import { blocksOf } from "../support/doc-blocks.ts";
import { goTool, HELM } from "../support/go.ts";
import { startKubelet } from "../support/kubelet.ts";
import { serinOnPath } from "../support/serin-program.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { settledWorkloads } from "../support/workloads.ts";

const page = (name: string): Promise<string> => readFile(join(packageRoot(), "docs", name), "utf8");

let cluster: Cluster;
let stack: Stack;
/** A checkout's deploy/, and files that pages write. */
let folder: string;
const stops: (() => unknown)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "serin-pages-"));
  stops.push(() => rm(folder, { recursive: true }));
  await symlink(join(packageRoot(), "deploy"), join(folder, "deploy"));
  await serinOnPath(folder);
  // As the package has it.
  await symlink("serin", join(folder, "bin", "kubectl-serin"));
  cluster = await startCluster(join(folder, "bin"), dirname(await goTool(HELM)));
  stops.push(() => cluster.stop());
  const kubelet = await startKubelet(cluster.url);
  stops.push(() => kubelet.stop());
  await defineCustomResources(cluster);
  stack = await startStack({ sidecars: 1 });
  stops.push(() => stack.stop());
});
afterAll(() => stopAll(stops));

/** Lines of each block of commands on a page. */
const commandsOf = (text: string): string[][] => blocksOf(text, "sh").map((block) => block.trim().split(/\n */));

/** Runs lines of a page where the checkout is, with a registry of ours, each when all pods are as the one before wants them; what failed first. */
async function faultOf(lines: readonly string[] = ["false # the page has no such block"]): Promise<string | undefined> {
  for (const line of lines) {
    // It needs a container, of which there are none.
    if (line.includes(" exec deploy/")) continue;
    const command = line.replaceAll("REGISTRY", "registry.example");
    const { code, stdout, stderr } = await cluster.run("env", "-C", folder, `SERIN_NATS=${stack.nats.url}`, "sh", "-ec", command);
    if (code !== 0) return `${line}: ${code}: ${stderr}${stdout}`;
    await settledWorkloads(cluster);
  }
  return undefined;
}

const imageOf = (namespace: string, deployment: string, kind: "containers" | "initContainers"): Promise<string> =>
  cluster.kubectl("get", "deployment", deployment, "-n", namespace, "-o", `jsonpath={.spec.template.spec.${kind}[*].image}`);

describe("docs/kubernetes.md by its own commands", async () => {
  const text = await page("kubernetes.md");
  const [install, native, alone, overlay, upgrade, overlayAgain] = commandsOf(text);
  const [values = ""] = blocksOf(text, "yaml values");

  test("installs, puts sidecars into the pods of an Envoy that is there, and upgrades in order", async () => {
    expect(await faultOf(install)).toBeUndefined();
    const labels = { app: "envoy" };
    const spec = {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "envoy", image: "envoy:1" }] } },
    };
    await cluster.apply(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "edge", labels: { "pod-security.kubernetes.io/enforce": "baseline" } } },
      { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "envoy", namespace: "edge" }, spec },
    );
    expect(await faultOf(native)).toBeUndefined();
    expect(await imageOf("edge", "envoy", "initContainers")).toBe("registry.example/serin:0.1.0");
    const next = "image: { repository: registry.example/serin, tag: 0.2.0 }";
    const own = values.replace(
      "image: { repository: registry.example/serin }",
      `${next}\nnativeSidecar: { enabled: true, envoyContainer: envoy }`,
    );
    await writeFile(join(folder, "values.yaml"), own);
    expect(await faultOf(upgrade)).toBeUndefined();
    for (const component of ["controller", "sidecar"])
      expect(await imageOf("serin", `serin-${component}`, "containers")).toBe("registry.example/serin:0.2.0");
    expect(await imageOf("edge", "envoy", "initContainers")).toBe("registry.example/serin:0.2.0");
    expect(await faultOf(alone)).toBeUndefined();
    expect(await cluster.kubectl("get", "deployments", "-n", "serin", "-o", "name")).toBe("deployment.apps/serin-controller\n");
    expect(await faultOf(["helm uninstall serin --namespace serin --wait"])).toBeUndefined();
    await cluster.kubectl("delete", "namespace", "serin", "edge");
  });

  test("installs by Kustomize, and again over itself", async () => {
    expect(await faultOf(overlay)).toBeUndefined();
    expect(await faultOf(overlayAgain)).toBeUndefined();
    await cluster.kubectl("delete", "-k", join(packageRoot(), "deploy/kustomize/overlays/envoy"));
  });
});

test("kubectl finds the program as its plugin, hands on what follows, and ends as it does", async () => {
  // It calls a second one on the PATH, like that of npm, a failure.
  expect((await cluster.run("kubectl", "plugin", "list")).stdout).toContain(join(folder, "bin", "kubectl-serin"));
  expect(await faultOf(["kubectl serin status"])).toBeUndefined();
  expect(await cluster.run("kubectl", "serin", "status", "--nonsense")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--nonsense"),
  });
});

/** A rollout that a page applied, ended and taken away. */
const END = [
  "serin abort checkout --reason shown",
  "serin watch checkout --until ended --timeout 30s || test $? = 3",
  "serin delete checkout",
];

describe.each([
  { name: "istio", namespaces: ["shop"] },
  { name: "envoy-gateway", namespaces: ["shop", "envoy-gateway-system"] },
])("docs of $name by its own commands", async ({ name, namespaces }) => {
  const [platform, service, overlay] = commandsOf(await page(`${name}.md`));

  test("installs what the platform owns, then a service's routes and rollout; or all of the platform's by Kustomize", async () => {
    for (const namespace of namespaces) await cluster.kubectl("create", "namespace", namespace);
    expect(await faultOf(platform)).toBeUndefined();
    expect(await faultOf(service)).toBeUndefined();
    expect(await faultOf(END)).toBeUndefined();
    await cluster.kubectl("delete", "namespace", "edge", "shop");
    expect(await faultOf(overlay)).toBeUndefined();
    await cluster.kubectl("delete", "-k", join(packageRoot(), "deploy/kustomize/overlays", name));
  });
});
