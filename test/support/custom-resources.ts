import { readdir } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import type { Cluster } from "./cluster.ts";
import { EGCTL, findGo, goTool, ISTIOCTL, sourcesOf } from "./go.ts";

/** Makes definitions of Go types as the Prometheus operator's own build does. */
const GENERATOR = { name: "controller-gen", package: "sigs.k8s.io/controller-tools/cmd/controller-gen", version: "v0.23.0" };
const GENERATE_MS = 300_000;

/**
 * Defines the resources of others that the chart and the overlays have: the Prometheus operator's, made of the types by which manifests are
 * decoded; Istio's, Envoy Gateway's and the Gateway API's, which lie among the sources that istioctl and egctl are built of.
 */
export async function defineCustomResources(cluster: Cluster): Promise<void> {
  const [istio, gateway] = await Promise.all([sourcesOf(ISTIOCTL, "istio.io/istio"), sourcesOf(EGCTL, "github.com/envoyproxy/gateway")]);
  const folders = [
    await prometheusDefinitions(),
    join(istio, "manifests", "charts", "base", "files"),
    ...["", "generated"].map((name) => join(gateway, "charts", "gateway-helm", "charts", "crds", "crds", name)),
  ];
  const files = (await Promise.all(folders.map(definitionsIn))).flat();
  // Some are longer than what kubectl notes of an object that it applies by itself.
  await cluster.kubectl("apply", "--server-side", ...files.map((file) => `--filename=${file}`));
  await cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "customresourcedefinitions", "--all");
}

/** A chart's other files lie beside them. */
const definitionsIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith(".yaml") && !name.startsWith("profile-")).map((name) => join(folder, name));

async function prometheusDefinitions(): Promise<string> {
  const generator = await goTool(GENERATOR);
  const { go } = await findGo();
  const into = join(packageRoot(), ".cache", "tools", "prometheus-definitions");
  const types = "paths=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1";
  // It asks Go for the packages of the module where it runs.
  const options = [
    "-C",
    join(packageRoot(), "test", "deploy", "go", "decode"),
    `PATH=${[dirname(go), process.env["PATH"] ?? ""].join(delimiter)}`,
  ];
  const made = await runCommand("env", [...options, generator, "crd", types, `output:crd:dir=${into}`], GENERATE_MS);
  if (made.code !== 0) throw new Error(`controller-gen: ${made.stderr}`);
  return into;
}
