import type { CliParts } from "../../../src/cli/parts.ts";
import { runCli } from "../../../src/cli/program.ts";

/** What a command line printed, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  /** Options that a sidecar or controller was started with. */
  readonly started: unknown[];
}

/** Runs one command line with parts that start nothing. */
export async function runWith(args: readonly string[], overrides: Partial<CliParts> = {}): Promise<Ran> {
  const ran = { out: "", error: "", started: [] as unknown[] };
  const stop = new AbortController();
  stop.abort();
  const start = (options: unknown) => {
    ran.started.push(options);
    return Promise.resolve({ metricsUrl: "http://127.0.0.1:1", extProcPort: undefined, stop: () => Promise.resolve() });
  };
  const parts: CliParts = {
    out: (text) => {
      ran.out += text;
    },
    error: (text) => {
      ran.error += text;
    },
    columns: () => undefined,
    terminal: () => undefined,
    input: () => undefined,
    user: "alice",
    host: "edge.example",
    defaultNats: undefined,
    natsCreds: undefined,
    natsCa: undefined,
    natsReplicas: undefined,
    token: undefined,
    operatorKey: undefined,
    isPod: () => false,
    kubeconfig: () => [],
    otlp: false,
    nowMs: () => 1_800_000_000_000,
    newId: () => "0123456789abcdef",
    signal: stop.signal,
    startSidecar: start,
    startWorkers: async (options, count) => {
      ran.started.push(count);
      return { ...(await start(options)), workers: [{ id: "edge-0", extProc: "unix:run/serin-0.sock" }] };
    },
    runWorker: () => Promise.resolve(0),
    startController: start,
    runDemo: () => Promise.resolve(0),
    ...overrides,
  };
  const code = await runCli(args, parts);
  return { code, ...ran };
}
