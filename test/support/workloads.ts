import type { Cluster } from "./cluster.ts";

/** Waits until everything that runs pods in a cluster has all of them as it wants them; a line `namespace Kind/name` for each. */
export async function settledWorkloads(cluster: Cluster): Promise<string[]> {
  const path = '{range .items[*]}{.metadata.namespace} {.kind}/{.metadata.name}{"\\n"}{end}';
  const listed = await cluster.kubectl("get", "deployments,statefulsets,daemonsets", "--all-namespaces", "--output", `jsonpath=${path}`);
  const lines = listed.split("\n").filter((line) => line !== "");
  for (const line of lines) {
    const [namespace = "", workload = ""] = line.split(" ");
    await cluster.kubectl("rollout", "status", workload, `--namespace=${namespace}`, "--timeout=120s");
  }
  return lines;
}
