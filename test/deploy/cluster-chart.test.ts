import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stopAll } from "../../src/demo/stop-all.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { defineCustomResources } from "../support/custom-resources.ts";
import { goTool, HELM } from "../support/go.ts";
import { startKubelet } from "../support/kubelet.ts";

const chart = join(packageRoot(), "deploy", "helm", "serin");

let cluster: Cluster;
let helm: string;
const stops: (() => unknown)[] = [];

beforeAll(async () => {
  helm = await goTool(HELM);
  cluster = await startCluster();
  stops.push(() => cluster.stop());
  const kubelet = await startKubelet(cluster.url);
  stops.push(() => kubelet.stop());
  await defineCustomResources(cluster);
  const restricted = { name: "serin", labels: { "pod-security.kubernetes.io/enforce": "restricted" } };
  await cluster.apply(
    ...[restricted, { name: "shop" }, { name: "search" }].map((metadata) => ({ apiVersion: "v1", kind: "Namespace", metadata })),
    // Of ci/full-values.yaml.
    { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name: "edge-critical" }, value: 1_000 },
  );
});
afterAll(() => stopAll(stops));

const run = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await cluster.run(helm, ...args, "--namespace", "serin");
  if (code !== 0) throw new Error(`helm ${args.join(" ")}: ${stderr}${stdout}`);
  return stdout;
};

/** Everything of the release that there is, but what belongs to others of it, by kind and name. */
async function installed(): Promise<string[]> {
  const kinds =
    "deployments,daemonsets,statefulsets,services,configmaps,serviceaccounts,poddisruptionbudgets,networkpolicies,roles,rolebindings";
  const monitors = "servicemonitors,prometheusrules,podmonitors";
  const label = "--selector=app.kubernetes.io/instance=serin";
  return (await cluster.kubectl("get", `${kinds},${monitors}`, "--all-namespaces", label, "-o", "name"))
    .split("\n")
    .filter((name) => name !== "");
}

describe.each(readdirSync(join(chart, "ci")))("the chart with ci/%s", (file) => {
  const values = ["--values", join(chart, "ci", file)];

  test("is installed with all pods in a restricted namespace, tested, upgraded, rolled back and uninstalled", async () => {
    const wait = ["--wait", "--timeout", "60s"];
    await run("install", "serin", chart, ...values, ...wait);
    const before = await installed();
    expect(before.length).toBeGreaterThan(5);
    // helm asks for no strictness; the same once more, and any field that the server does not know is an error.
    const strict = ["--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts"];
    const rendered = join(packageRoot(), "test", "deploy", "golden", "helm", file.replace("-values", ""));
    expect(await cluster.run("kubectl", "apply", ...strict, "-f", rendered)).toMatchObject({ code: 0, stderr: "" });
    // Its pod is taken and said to have ended well; what it would run stands in no container here.
    expect(await run("test", "serin")).toMatch(/Phase: +Succeeded/);
    await run("upgrade", "serin", chart, ...values, "--set", "image.digest=,image.tag=0.2.0", ...wait);
    expect(await images()).toEqual(["registry.example/serin:0.2.0"]);
    await run("rollback", "serin", "1", ...wait);
    expect(await images()).not.toEqual(["registry.example/serin:0.2.0"]);
    expect(await installed()).toEqual(before);
    await run("uninstall", "serin", ...wait);
    expect(await installed()).toEqual([]);
  });
});

test("a field that the server does not know is refused", async () => {
  const misspelt = { apiVersion: "v1", kind: "Service", metadata: { name: "a", namespace: "serin" }, spec: { port: [] } };
  await expect(cluster.apply(misspelt)).rejects.toThrow('unknown field "port"');
});

/** Of the controllers' pods. */
const images = async (): Promise<string[]> => {
  const path = "{.items[*].spec.template.spec.containers[*].image}";
  const label = "--selector=app.kubernetes.io/instance=serin,app.kubernetes.io/component=controller";
  return (await cluster.kubectl("get", "deployments", "-n", "serin", label, "-o", `jsonpath=${path}`)).split(" ");
};
