import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stopAll } from "../../src/demo/stop-all.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { defineCustomResources } from "../support/custom-resources.ts";
import { startKubelet } from "../support/kubelet.ts";
import { settledWorkloads } from "../support/workloads.ts";

const root = join(packageRoot(), "deploy", "kustomize", "overlays");

let cluster: Cluster;
const stops: (() => unknown)[] = [];

beforeAll(async () => {
  cluster = await startCluster();
  stops.push(() => cluster.stop());
  const kubelet = await startKubelet(cluster.url);
  stops.push(() => kubelet.stop());
  await defineCustomResources(cluster);
  // Envoy Gateway's own, in which it runs Envoy's pods.
  await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "envoy-gateway-system" } });
});
afterAll(() => stopAll(stops));

describe.each(readdirSync(root))("the overlay %s", (name) => {
  test("is taken by a real API server, field by field, and its pods by the namespaces in which they run", async () => {
    await cluster.kubectl("apply", "-k", join(root, name));
    expect(await settledWorkloads(cluster)).toEqual(
      expect.arrayContaining(["serin Deployment/serin-controller", "serin StatefulSet/serin-nats"]),
    );
    await cluster.kubectl("delete", "-k", join(root, name), "--timeout=120s");
    const isEmpty = async (): Promise<boolean> => (await settledWorkloads(cluster)).length === 0;
    await waitFor(isEmpty, { deadlineMs: 120_000, what: "the overlay's workloads to be gone" });
  });
});

test("the namespace of the overlays refuses a pod that may do more than theirs", async () => {
  await cluster.kubectl("apply", "-f", join(packageRoot(), "deploy", "kustomize", "base", "namespace.yaml"));
  const { code, stderr } = await cluster.run("kubectl", "run", "free", "--image=free:1", "--namespace=serin");
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('violates PodSecurity "restricted:latest"') });
});
