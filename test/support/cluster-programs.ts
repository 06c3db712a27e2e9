import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../../src/io/package-root.ts";
import { goBuild } from "./go.ts";

const module = join(packageRoot(), "test", "deploy", "go", "cluster");

/** Paths of Kubernetes' own programs, and of the store that they need. */
export interface ClusterPrograms {
  readonly apiserver: string;
  readonly controllerManager: string;
  readonly etcd: string;
  readonly kubectl: string;
  /** The folder that has `kubectl`. */
  readonly folder: string;
}

/** Builds them of the module that pins them, into the project's cache. */
export async function clusterPrograms(): Promise<ClusterPrograms> {
  const [, version] = /k8s\.io\/kubernetes (v\S+)/.exec(await readFile(join(module, "go.mod"), "utf8")) ?? [];
  if (version === undefined) throw new Error(`${module}/go.mod does not say which Kubernetes`);
  const folder = join(packageRoot(), ".cache", "tools", "cluster");
  const commands = ["kube-apiserver", "kube-controller-manager", "kubectl"].map((name) => `k8s.io/kubernetes/cmd/${name}`);
  await goBuild(module, folder, ["go.etcd.io/etcd/server/v3", ...commands], stampOf(version));
  const at = (name: string): string => join(folder, name);
  // Go names a program by its package's path.
  return {
    apiserver: at("kube-apiserver"),
    controllerManager: at("kube-controller-manager"),
    etcd: at("server"),
    kubectl: at("kubectl"),
    folder,
  };
}

/** As Kubernetes' own build says which version it is. */
function stampOf(version: string): string {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)\./.exec(version) ?? [];
  const facts = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"]
    .flatMap((path) => Object.entries(facts).map(([name, value]) => `-X ${path}.${name}=${value}`))
    .join(" ");
}
