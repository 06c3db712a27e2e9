import { KubeConfig } from "@kubernetes/client-node";
import type { KubernetesOptions } from "../options.ts";
import { CredentialLogin, OURS, tokenFileSource } from "./credential.ts";
import { type Login, readKubeconfigs } from "./kubeconfig.ts";

type Place = Pick<KubernetesOptions, "url" | "kubeconfig" | "context">;

/**
 * Where the cluster is, and how this program logs in there: not at all at an address; as a kubeconfig says; else by the account of this
 * pod. Throws UsageError where a kubeconfig leads nowhere.
 */
export function loginOf({ url, kubeconfig, context }: Place): KubeConfig {
  if (kubeconfig !== undefined) return configOf(readKubeconfigs(kubeconfig, context));
  if (url === undefined) return loginOfPod();
  return configOf({ cluster: { name: url, server: url.replace(/\/+$/, ""), skipTLSVerify: false }, user: { name: "nobody" } });
}

/** The account that is mounted in a pod, below this folder. */
export function loginOfPod(root = ""): KubeConfig {
  const read = new KubeConfig();
  read.loadFromCluster(root);
  const [cluster, user] = [read.getCurrentCluster(), read.getCurrentUser()];
  if (cluster === null || user === null) throw new Error("the library knows no account of a pod");
  // The library takes some ports for those of an API without TLS, which would get the token in clear; and none for a part of the address.
  const server = cluster.server.replace(/^http:/, "https:").replace(/:(?:undefined)?$/, ":443");
  const { namespace } = read.getContextObject(read.getCurrentContext()) ?? {};
  return configOf({
    cluster: { ...cluster, server },
    user: { name: user.name },
    source: tokenFileSource(user.authProvider.config.tokenFile),
    namespace: namespace?.trim(),
  });
}

function configOf({ cluster, user, source, namespace }: Login): KubeConfig {
  const config = new KubeConfig();
  if (source !== undefined) config.addAuthenticator(new CredentialLogin(source));
  // The library takes an address without TLS only from who wants no certificates looked at; with TLS they are.
  const isPlain = cluster.server.startsWith("http:");
  config.loadFromOptions({
    clusters: [isPlain ? { ...cluster, skipTLSVerify: true } : cluster],
    users: [source === undefined ? user : { ...user, authProvider: { name: OURS } }],
    contexts: [{ name: "serin", cluster: cluster.name, user: user.name, namespace }],
    currentContext: "serin",
  });
  return config;
}
