import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ProcessEnd, type RunningProcess, startProcess, whenReady } from "./processes.ts";
import { waitFor } from "./wait-for.ts";

/** A NATS server to start. */
export interface NatsServerOptions {
  /** Path of `nats-server`. */
  readonly program: string;
  /** Directory of its store; one of its own, removed at the end, when absent. */
  readonly storeDir?: string;
  /** 0 or absent: the system chooses. */
  readonly port?: number;
  /** More arguments, like `["--config", path]`. */
  readonly args?: readonly string[];
}

/** A NATS server with JetStream on loopback. The address outlives kills and restarts. */
export interface NatsServer {
  readonly url: string;
  readonly port: number;
  pid(): number;
  /** Kills it without warning; the store stays. */
  kill(): Promise<ProcessEnd>;
  /** Starts it again on the same port with the same store; kills it first when it runs. */
  restart(): Promise<void>;
  /** Stops it in its tracks until `resume`: connections stay open and nobody answers. */
  freeze(): void;
  resume(): void;
  /** Stops it and removes the store, unless the store was given. Safe to call twice. */
  stop(): Promise<void>;
}

const READY_MS = 30_000;

/** Starts a NATS server and waits until it takes connections. */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const storeDir = options.storeDir ?? (await mkdtemp(join(tmpdir(), "serin-nats-")));
  const removeStore = (): Promise<void> =>
    options.storeDir === undefined ? rm(storeDir, { recursive: true, force: true }) : Promise.resolve();
  let current: { server: RunningProcess; port: number };
  try {
    current = await launch(options, storeDir, options.port ?? 0);
  } catch (error) {
    await removeStore();
    throw error;
  }
  const { port } = current;
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    pid: () => current.server.pid,
    kill: () => current.server.kill(),
    async restart() {
      await current.server.kill();
      current = await launch(options, storeDir, port);
    },
    freeze: () => current.server.freeze(),
    resume: () => current.server.resume(),
    async stop() {
      current.server.resume();
      await current.server.stop();
      await removeStore();
    },
  };
}

async function launch(
  { program, args = [] }: NatsServerOptions,
  storeDir: string,
  port: number,
): Promise<{ server: RunningProcess; port: number }> {
  // The server writes `nats-server_PID.ports` once it listens: the only way to learn a port that the system chose.
  const portsDir = await mkdtemp(join(tmpdir(), "serin-ports-"));
  try {
    const own = ["--jetstream", "--store_dir", storeDir, "--addr", "127.0.0.1", "--port", String(port === 0 ? -1 : port)];
    const server = await startProcess({ name: "nats-server", program, args: [...own, "--ports_file_dir", portsDir, ...args] });
    const listening = waitFor(() => readPort(portsDir), { deadlineMs: READY_MS, what: "nats-server to listen" });
    return { server, port: await whenReady(server, listening) };
  } finally {
    await rm(portsDir, { recursive: true, force: true });
  }
}

async function readPort(portsDir: string): Promise<number | undefined> {
  const file = (await readdir(portsDir)).find((name) => name.endsWith(".ports"));
  if (file === undefined) return undefined;
  const port = /"nats":\s*\[\s*"[^"]*:(\d+)"/.exec(await readFile(join(portsDir, file), "utf8"))?.[1];
  return port === undefined ? undefined : Number(port);
}
