import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type RunningEnvoy, startEnvoy } from "./envoy.ts";
import { type NatsServer, startNatsServer } from "./nats-server.ts";
import { type ProcessOptions, type RunningProcess, startProcess, whenReady } from "./processes.ts";
import { stopAll } from "./stop-all.ts";
import { startUpstream, type Upstream } from "./upstreams.ts";
import { waitFor } from "./wait-for.ts";

export interface StackOptions {
  readonly envoyProgram: string;
  readonly natsServerProgram: string;
  /** One that runs already, which its owner stops; one of the stack's own when absent. */
  readonly nats?: NatsServer;
  /** The built command line, run by this Node. */
  readonly serinBin: string;
  /** The environment of the processes; NATS is named in it for them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sidecars: number;
  readonly controllers: number;
  readonly sidecarArgs?: readonly string[];
  /** More of them for one sidecar, by its number. */
  readonly sidecarArgsOf?: (index: number) => readonly string[];
  readonly controllerArgs?: readonly string[];
  /** Another text of Envoy's shipped configuration. */
  readonly envoyChange?: (shipped: string) => string;
  /** Ends the start; what stands by then is stopped. */
  readonly signal?: AbortSignal;
}

/** What a command line printed, and how it ended. */
export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** All parts as real processes on loopback. */
export interface Stack {
  readonly nats: NatsServer;
  readonly envoy: RunningEnvoy;
  readonly stable: Upstream;
  readonly canary: Upstream;
  readonly directory: string;
  /** Ids of the sidecars, `sidecar-0` and so on. */
  readonly sidecarIds: readonly string[];
  sidecar(index: number): RunningProcess;
  controller(index: number): RunningProcess;
  /** `http://host:port` of a sidecar's metrics and readiness. */
  sidecarUrl(index: number): string;
  /** Starts a sidecar or controller again, in its old place. */
  startSidecar(index: number): Promise<void>;
  startController(index: number): Promise<void>;
  /** A program that has ended, whoever ended it; undefined while all run. */
  ended(): Pick<RunningProcess, "name" | "output"> | undefined;
  /** Runs one command line to its end. */
  serin(...args: string[]): Promise<CommandResult>;
  /** Stops everything that was started, in an order in which nobody waits. */
  stop(): Promise<void>;
}

const READY_MS = 15_000;

/** Starts NATS, upstreams, sidecars, Envoy and controllers; stops what stands when one does not come up. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const directory = await mkdtemp(join(tmpdir(), "serin-"));
  const stops: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = (): Promise<void> => stopAll(stops);
  try {
    return await build(options, directory, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  options: StackOptions,
  directory: string,
  stops: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Stack> {
  const { signal } = options;
  const nats = options.nats ?? (await startNatsServer({ program: options.natsServerProgram }));
  if (options.nats === undefined) stops.push(() => nats.stop());
  const [stable, canary] = await Promise.all([startUpstream("stable"), startUpstream("canary")]);
  stops.push(stable.stop, canary.stop);
  const programs = createPrograms(options, directory, nats.url);
  stops.push(programs.stop);
  const sidecarIds = Array.from({ length: options.sidecars }, (_, index) => `sidecar-${index}`);
  await Promise.all(sidecarIds.map((_, index) => programs.startSidecar(index)));
  signal?.throwIfAborted();
  const addresses = sidecarIds.map((_, index) => programs.socket(index));
  const envoy = await startEnvoy({
    program: options.envoyProgram,
    sidecars: addresses,
    stable: stable.address,
    canary: canary.address,
    ...(options.envoyChange && { change: options.envoyChange }),
  });
  stops.push(() => envoy.stop());
  signal?.throwIfAborted();
  for (let index = 0; index < options.controllers; index += 1) await programs.startController(index);
  const ended: Stack["ended"] = () => programs.ended() ?? (envoy.isRunning() ? undefined : { name: "envoy", output: envoy.output });
  return { nats, envoy, stable, canary, directory, sidecarIds, ...programs, ended, stop };
}

type Programs = Pick<Stack, "sidecar" | "controller" | "sidecarUrl" | "startSidecar" | "startController" | "ended" | "serin" | "stop"> & {
  socket(index: number): string;
};

/** The processes that run Serin's own command line. */
function createPrograms(options: StackOptions, directory: string, natsUrl: string): Programs {
  const running = new Map<string, RunningProcess>();
  const metricsUrls = new Map<string, string>();
  const run = serinRunner(options, directory, natsUrl);
  const start = async (name: string, args: readonly string[]): Promise<void> => {
    const { started, said } = await startAndHear(run, name, args);
    running.set(name, started);
    if (typeof said === "object" && said !== null && "metrics" in said) metricsUrls.set(name, String(said.metrics));
  };
  const find = (name: string): RunningProcess => {
    const found = running.get(name);
    if (found === undefined) throw new Error(`${name} was not started`);
    return found;
  };
  const socket = (index: number): string => `unix:${join(directory, `s${index}.sock`)}`;
  return {
    socket,
    sidecar: (index) => find(`sidecar-${index}`),
    controller: (index) => find(`controller-${index}`),
    sidecarUrl: (index) => metricsUrls.get(`sidecar-${index}`) ?? "",
    startSidecar: (index) => {
      const place = ["--ext-proc", socket(index), "--metrics", "127.0.0.1:0", "--state-dir", join(directory, `state-${index}`)];
      return start(`sidecar-${index}`, [
        "sidecar",
        "--id",
        `sidecar-${index}`,
        ...place,
        ...(options.sidecarArgs ?? []),
        ...(options.sidecarArgsOf?.(index) ?? []),
      ]);
    },
    startController: (index) =>
      start(`controller-${index}`, ["controller", "--id", `controller-${index}`, ...(options.controllerArgs ?? [])]),
    ended: () => [...running.values()].find((program) => !program.isRunning()),
    async serin(...args) {
      const lines = { stdout: [] as string[], stderr: [] as string[] };
      const one = await run(`serin ${args[0] ?? ""}`, args, (line, from) => void lines[from].push(line));
      const { code } = await one.ended;
      return { code: code ?? 1, out: lines.stdout.join("\n"), error: lines.stderr.join("\n") };
    },
    async stop() {
      for (const program of running.values()) program.resume();
      await Promise.all([...running.values()].map((program) => program.stop()));
    },
  };
}

type OnLine = NonNullable<ProcessOptions["onLine"]>;
type Run = (name: string, args: readonly string[], onLine: OnLine) => Promise<RunningProcess>;

function serinRunner(options: StackOptions, directory: string, natsUrl: string): Run {
  const known = Object.entries({ ...options.env, SERIN_NATS: natsUrl });
  const env = Object.fromEntries(known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  return (name, args, onLine) =>
    startProcess({ name, program: process.execPath, args: [options.serinBin, ...args], cwd: directory, env, onLine });
}

/** Starts one that runs on, and waits for the line of JSON that it prints when it serves. */
async function startAndHear(run: Run, name: string, args: readonly string[]): Promise<{ started: RunningProcess; said: unknown }> {
  let firstLine: string | undefined;
  const started = await run(name, [...args, "--json"], (line, from) => {
    if (from === "stdout") firstLine ??= line;
  });
  const heard = waitFor(() => firstLine, { deadlineMs: READY_MS, what: `${name} to say that it serves` });
  return { started, said: JSON.parse(await whenReady(started, heard)) };
}
