import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { startProcess, whenReady } from "../../src/demo/processes.ts";
import { type CommandResult, runCommand } from "../../src/demo/run-command.ts";
import { stopAll } from "../../src/demo/stop-all.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { clusterPrograms } from "./cluster-programs.ts";
import { kubeconfig, startServers } from "./cluster-servers.ts";

const COMMAND_MS = 180_000;
const READY_MS = 30_000;

/** A real API server with its store and controllers, on loopback. No container runs: kubelet.ts stands in for nodes. */
export interface Cluster {
  /** On 127.0.0.1, by TLS. */
  readonly port: number;
  /** `http://host:port` of the API for its administrator, by `kubectl proxy`. */
  readonly url: string;
  /** Runs a program to its end; kubectl and helm are found on its PATH and speak as the administrator. */
  run(program: string, ...args: readonly string[]): Promise<CommandResult>;
  /** What kubectl prints. Throws what it says where it refuses. */
  kubectl(...args: readonly string[]): Promise<string>;
  /** Creates or changes objects, each field of which must be known. Throws what the server says. */
  apply(...objects: readonly object[]): Promise<void>;
  /** `http://host:port` of the API for whoever has this token, by a `kubectl proxy` of theirs. */
  proxy(token: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts an empty one; programs are looked for in these folders before the PATH. */
export async function startCluster(...folders: readonly string[]): Promise<Cluster> {
  const programs = await clusterPrograms();
  const directory = await mkdtemp(join(tmpdir(), "serin-cluster-"));
  const stops: (() => unknown)[] = [() => rm(directory, { recursive: true, force: true })];
  const scratch = async (text: string): Promise<string> => {
    const file = join(await mkdtemp(join(directory, "file-")), "file.json");
    await writeFile(file, text);
    return file;
  };
  try {
    const { port, authority, config } = await startServers(programs, directory, stops);
    const path = [...folders, programs.folder, process.env["PATH"] ?? ""].join(delimiter);
    // A home of its own, where helm and kubectl keep what they remember.
    const variables = [`KUBECONFIG=${config}`, `PATH=${path}`, `HOME=${directory}`];
    const run: Cluster["run"] = (program, ...args) => runCommand("env", [...variables, program, ...args], COMMAND_MS);
    const kubectl: Cluster["kubectl"] = async (...args) => {
      const { code, stdout, stderr } = await run("kubectl", ...args);
      if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}${stdout}`);
      return stdout;
    };
    const proxy = async (login: string): Promise<string> => {
      const { url, stop } = await startProxy(programs.kubectl, login);
      stops.push(stop);
      return url;
    };
    const cluster = { server: `https://127.0.0.1:${port}`, "certificate-authority": authority };
    return {
      port,
      url: await proxy(config),
      run,
      kubectl,
      async apply(...items) {
        const list = { apiVersion: "v1", kind: "List", items };
        await kubectl("apply", "--server-side", "--validate=strict", "--filename", await scratch(JSON.stringify(list)));
      },
      proxy: async (token) => proxy(await scratch(kubeconfig(cluster, token))),
      stop: () => stopAll(stops),
    };
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
}

async function startProxy(kubectl: string, login: string): Promise<{ url: string; stop(): unknown }> {
  let address: string | undefined;
  const started = await startProcess({
    name: "kubectl proxy",
    program: kubectl,
    args: [`--kubeconfig=${login}`, "proxy", "--port=0"],
    onLine: (line) => {
      address ??= /^Starting to serve on (\S+)$/.exec(line)?.[1];
    },
  });
  const listening = waitFor(() => address, { deadlineMs: READY_MS, what: "kubectl proxy to say its address" });
  return { url: `http://${await whenReady(started, listening)}`, stop: () => started.stop() };
}
