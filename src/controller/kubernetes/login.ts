import { existsSync } from "node:fs";
import { type Cluster, KubeConfig } from "@kubernetes/client-node";
import { UsageError } from "../../contract/errors.ts";
import type { KubernetesOptions } from "../options.ts";

type Place = Pick<KubernetesOptions, "url" | "kubeconfig" | "context">;

/**
 * Where the cluster is, and how this program logs in there: not at all at an address; as a kubeconfig says; else by the account of this
 * pod. Throws UsageError where a kubeconfig leads nowhere.
 */
export function loginOf({ url, kubeconfig, context }: Place): KubeConfig {
  if (kubeconfig !== undefined) return loginOfFiles(kubeconfig, context);
  const config = new KubeConfig();
  if (url === undefined) config.loadFromCluster();
  else
    config.loadFromClusterAndUser(withPlainHttp({ name: url, server: url.replace(/\/+$/, ""), skipTLSVerify: false }), { name: "nobody" });
  return config;
}

/** The library takes an address without TLS only from who wants no certificates looked at; with TLS they are. */
const withPlainHttp = (cluster: Cluster): Cluster => (cluster.server.startsWith("http:") ? { ...cluster, skipTLSVerify: true } : cluster);

/** As kubectl reads several files: all that they hold, and the first current context. */
function loginOfFiles(files: readonly string[], wanted: string | undefined): KubeConfig {
  const config = new KubeConfig();
  for (const file of files) {
    try {
      const read = new KubeConfig();
      read.loadFromFile(file);
      config.mergeConfig(read, Boolean(config.getCurrentContext()));
    } catch (error) {
      const problem = error instanceof Error && !(error instanceof TypeError) ? error.message : "holds no kubeconfig";
      throw new UsageError(`--kubernetes: ${file}: ${problem}; give a file that kubectl can read`, { cause: error });
    }
  }
  config.clusters = config.clusters.map(withPlainHttp);
  if (wanted !== undefined) config.setCurrentContext(wanted);
  checkContext(config, files.join(", "), wanted);
  return config;
}

function checkContext(config: KubeConfig, where: string, wanted: string | undefined): void {
  const name: string | undefined = config.getCurrentContext() || undefined;
  const names = config.getContexts().map((context) => context.name);
  if (name === undefined) throw new UsageError(`--kubernetes: ${where}: no context is current; choose one by --kubernetes-context`);
  if (!names.includes(name)) {
    const flag = wanted === undefined ? "--kubernetes" : "--kubernetes-context";
    throw new UsageError(`${flag}: ${where}: there is no context "${name}"; choose one of these: ${names.join(", ") || "none"}`);
  }
  const { cluster: clusterName, user: userName } = config.getContextObject(name) ?? {};
  const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()];
  const wrong = `--kubernetes: ${where}: context "${name}" names`;
  if (cluster === null)
    throw new UsageError(`${wrong} the cluster "${clusterName}", which is not there; add it, or choose another context`);
  if (user === null) throw new UsageError(`${wrong} the user "${userName}", who is not there; add them, or choose another context`);
  for (const file of [cluster.caFile, user.certFile, user.keyFile])
    if (file && !existsSync(file))
      throw new UsageError(`${wrong} the file ${file}, which is not there; bring it, or choose another context`);
}
