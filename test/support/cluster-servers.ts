import { generateKeyPairSync, randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type RunningProcess, startProcess, whenReady } from "../../src/demo/processes.ts";
import { runCommand } from "../../src/demo/run-command.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import type { ClusterPrograms } from "./cluster-programs.ts";
import { freePort } from "./free-port.ts";

const READY_MS = 120_000;

/** What makes pods of workloads and endpoints of pods, and takes away what nobody owns any more. */
const CONTROLLERS = [
  "daemonset-controller",
  "deployment-controller",
  "disruption-controller",
  "endpointslice-controller",
  "garbage-collector-controller",
  "namespace-controller",
  "persistentvolumeclaim-protection-controller",
  "replicaset-controller",
  "root-ca-certificate-publisher-controller",
  "serviceaccount-controller",
  "statefulset-controller",
];

/** A running API. */
export interface ClusterServers {
  /** On 127.0.0.1. */
  readonly port: number;
  /** PEM of its certificate and of the authority behind it. */
  readonly authority: string;
  /** The administrator's login, as a file of kubectl. */
  readonly config: string;
  /** Last started, first stopped. */
  readonly stops: (() => unknown)[];
}

/** Starts store, API server and controllers in this folder. */
export async function startServers(programs: ClusterPrograms, folder: string, stops: (() => unknown)[]): Promise<ClusterServers> {
  const at = (name: string): string => join(folder, name);
  const start = async (name: string, program: string, args: readonly string[]): Promise<RunningProcess> => {
    const started = await startProcess({ name, program, args, cwd: folder });
    stops.push(() => started.stop());
    return started;
  };
  const store = `http://127.0.0.1:${await freePort()}`;
  const peers = `http://127.0.0.1:${await freePort()}`;
  await start("etcd", programs.etcd, [
    `--data-dir=${at("etcd")}`,
    `--listen-client-urls=${store}`,
    `--advertise-client-urls=${store}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    // It lives as long as a test.
    "--unsafe-no-fsync",
    "--log-level=warn",
  ]);

  const token = randomUUID();
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  await writeFile(at("accounts.key"), privateKey.export({ type: "pkcs8", format: "pem" }));
  await writeFile(at("tokens.csv"), `${token},administrator,administrator,"system:masters"\n`);
  const port = await freePort();
  const apiserver = await start("kube-apiserver", programs.apiserver, [
    `--etcd-servers=${store}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    // It makes itself an authority and a certificate, here.
    `--cert-dir=${folder}`,
    "--authorization-mode=RBAC",
    `--token-auth-file=${at("tokens.csv")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${at("accounts.key")}`,
    `--service-account-signing-key-file=${at("accounts.key")}`,
    "--service-cluster-ip-range=10.96.0.0/16",
    // No endpoint may have an address of loopback.
    "--endpoint-reconciler-type=none",
  ]);
  const authority = at("apiserver.crt");
  const config = at("administrator.config");
  const cluster = { server: `https://127.0.0.1:${port}`, "certificate-authority": authority };
  await writeFile(config, kubeconfig(cluster, token));
  const isReady = async (): Promise<boolean> =>
    (await runCommand(programs.kubectl, [`--kubeconfig=${config}`, "get", "--raw", "/readyz"], 10_000)).code === 0;
  await whenReady(apiserver, waitFor(isReady, { deadlineMs: READY_MS, what: "the API server to be ready" }));

  await start("kube-controller-manager", programs.controllerManager, [
    `--kubeconfig=${config}`,
    `--controllers=${CONTROLLERS.join(",")}`,
    `--root-ca-file=${authority}`,
    `--service-account-private-key-file=${at("accounts.key")}`,
    "--leader-elect=false",
    "--secure-port=0",
  ]);
  return { port, authority, config, stops };
}

/** A file of kubectl for one cluster and who has this token. */
export const kubeconfig = (cluster: object, token: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster }],
    users: [{ name: "one", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "one" } }],
    "current-context": "test",
  });
