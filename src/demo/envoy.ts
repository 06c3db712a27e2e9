import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { packageRoot } from "../io/package-root.ts";
import { type EnvoyAddresses, withAddresses } from "./envoy-config.ts";
import { type ProcessEnd, type RunningProcess, startProcess, whenReady } from "./processes.ts";
import { waitFor } from "./wait-for.ts";

/** An Envoy to start from the shipped configuration, on ports that the system chooses. */
export interface EnvoyOptions extends EnvoyAddresses {
  /** Path of `envoy`. */
  readonly program: string;
  /** Worker threads; 1 when absent. */
  readonly concurrency?: number;
  /** Configuration to start from; the shipped one when absent. */
  readonly configPath?: string;
  /** Another text of the configuration, before the addresses are put in; the same when absent. */
  readonly change?: (text: string) => string;
}

/** A running Envoy. */
export interface RunningEnvoy {
  /** Where users connect. */
  readonly port: number;
  /** `http://127.0.0.1:PORT` of the same. */
  readonly url: string;
  readonly adminPort: number;
  readonly pid: number;
  isRunning(): boolean;
  /** What it wrote last, its warnings among it. */
  output(): string;
  /** One counter or gauge by its full name; 0 when Envoy has not touched it yet. */
  stat(name: string): Promise<number>;
  /** Counters and gauges in use whose name starts with the prefix. */
  stats(prefix?: string): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<ProcessEnd>;
}

/** Envoy's counter of requests that went on without a decision. */
export const FAILED_OPEN_STAT = "http.ingress.ext_proc.failure_mode_allowed";

/** Path of the configuration that Serin ships. */
export const shippedEnvoyConfig = (): string => join(packageRoot(), "envoy", "envoy.yaml");

const READY_MS = 20_000;

/** Starts Envoy and waits until it takes requests: after its first health check of each sidecar. */
export async function startEnvoy(options: EnvoyOptions): Promise<RunningEnvoy> {
  const text = await readFile(options.configPath ?? shippedEnvoyConfig(), "utf8");
  return startEnvoyWith(withAddresses(options.change?.(text) ?? text, options), options);
}

/** The same with a configuration of any other form, whose first listener is the one that users connect to. */
export async function startEnvoyWith(config: string, options: Pick<EnvoyOptions, "program" | "concurrency">): Promise<RunningEnvoy> {
  const directory = await mkdtemp(join(tmpdir(), "serin-envoy-"));
  try {
    const configPath = join(directory, "envoy.yaml");
    await writeFile(configPath, config);
    const adminPath = join(directory, "admin");
    const envoy = await startProcess({ name: "envoy", program: options.program, args: argumentsOf(options, configPath, adminPath) });
    const ports = await whenReady(
      envoy,
      waitFor(() => readPorts(adminPath), { deadlineMs: READY_MS, what: "Envoy to be live" }),
    );
    return running(envoy, ports, directory);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

function argumentsOf({ concurrency = 1 }: Pick<EnvoyOptions, "concurrency">, configPath: string, adminPath: string): string[] {
  return [
    ...["--config-path", configPath, "--admin-address-path", adminPath, "--concurrency", String(concurrency)],
    // Hot restart takes shared memory by a number that a second Envoy on the machine would want too.
    "--disable-hot-restart",
    // Each failed health check and each request that fails open is a warning: they belong in the counters.
    ...["--log-level", "warning"],
  ];
}

function running(envoy: RunningProcess, { port, adminPort }: Ports, directory: string): RunningEnvoy {
  const stats = async (prefix = ""): Promise<ReadonlyMap<string, number>> => {
    const answer = await ask(adminPort, `/stats?format=json&usedonly&filter=${encodeURIComponent(`^${prefix.replaceAll(".", "\\.")}`)}`);
    return new Map(StatsSchema.parse(answer).stats.flatMap(({ name, value }) => (typeof value === "number" ? [[name ?? "", value]] : [])));
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    adminPort,
    pid: envoy.pid,
    isRunning: () => envoy.isRunning(),
    output: () => envoy.output(),
    stats,
    stat: async (name) => (await stats(name)).get(name) ?? 0,
    async stop() {
      const end = await envoy.stop();
      await rm(directory, { recursive: true, force: true });
      return end;
    },
  };
}

interface Ports {
  readonly port: number;
  readonly adminPort: number;
}

const StatsSchema = z.object({ stats: z.array(z.object({ name: z.string().optional(), value: z.unknown().optional() })) });
const InfoSchema = z.object({ state: z.string() });
const ListenersSchema = z.object({
  listener_statuses: z.tuple([z.object({ local_address: z.object({ socket_address: z.object({ port_value: z.int().min(1) }) }) })]),
});

/** Ports once Envoy is live; undefined before. Throws while the admin page does not answer yet. */
async function readPorts(adminPath: string): Promise<Ports | undefined> {
  const adminPort = Number((await readFile(adminPath, "utf8")).split(":").at(-1));
  if (InfoSchema.parse(await ask(adminPort, "/server_info")).state !== "LIVE") return undefined;
  const { listener_statuses: listeners } = ListenersSchema.parse(await ask(adminPort, "/listeners?format=json"));
  return { adminPort, port: listeners[0].local_address.socket_address.port_value };
}

async function ask(adminPort: number, path: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${adminPort}${path}`, { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`Envoy's admin page answered ${response.status} to ${path}`);
  return response.json();
}
