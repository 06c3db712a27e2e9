import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { type RunningProcess, startProcess } from "../../src/demo/processes.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import type { Cluster } from "./cluster.ts";

/** Where a pod finds its account, in a `/run` that nobody else sees; its name is the host's. */
const SCRIPT = [
  "mount -t tmpfs none /run",
  "mkdir -p /run/secrets/kubernetes.io",
  'ln -s "$1" /run/secrets/kubernetes.io/serviceaccount',
  'hostname "$2"',
  "shift 2",
  'exec "$@"',
].join(" && ");

/** An account of the cluster as a pod has it: a folder of token, authority and namespace. */
export interface Account {
  readonly namespace: string;
  readonly folder: string;
}

/** Makes the folder, with a token that the API server gives out for an account that is there. */
export async function mountAccount(cluster: Cluster, parent: string, namespace: string, name: string): Promise<Account> {
  const folder = join(parent, "account");
  await mkdir(folder);
  const authority = await cluster.kubectl("get", "configmap", "kube-root-ca.crt", "-n", namespace, "-o", "jsonpath={.data.ca\\.crt}");
  await writeFile(join(folder, "ca.crt"), authority);
  await writeFile(join(folder, "namespace"), namespace);
  await writeFile(join(folder, "token"), await tokenOf(cluster, namespace, name));
  return { namespace, folder };
}

/** A new token of an account, for an hour. */
export const tokenOf = (cluster: Cluster, namespace: string, name: string): Promise<string> =>
  cluster.kubectl("create", "token", name, "-n", namespace);

/** Runs Serin as a container of a pod would: its host has the pod's name, and Kubernetes' variables and account are where they always are. Needs root. */
export function startInPod(cluster: Cluster, { folder }: Account, pod: string, args: readonly string[]): Promise<RunningProcess> {
  const serin = [process.execPath, join(packageRoot(), "dist", "bin", "serin.js"), ...args];
  return startProcess({
    name: pod,
    program: "/usr/bin/unshare",
    args: ["--mount", "--uts", "/bin/sh", "-c", SCRIPT, "sh", folder, pod, ...serin],
    env: { PATH: process.env["PATH"] ?? "", KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(cluster.port) },
  });
}
