import type { ExitCode } from "../contract/exit-codes.ts";
import type { LogLevel } from "../io/log-levels.ts";
import type { Terminal } from "./live/frame.ts";

/** A program of Serin that runs until it is stopped. */
export interface Running {
  stop(): Promise<void>;
}

/** What the command line needs from outside; the entry point gives the real ones, tests their own. */
export interface CliParts {
  out(text: string): void;
  error(text: string): void;
  /** Width of the terminal that `error` writes to; undefined where it is none. */
  columns(): number | undefined;
  /** The terminal that `out` writes to; undefined where it is none. */
  terminal(): Terminal | undefined;
  /** Lines of stdin; undefined when that is a terminal. */
  input(): AsyncIterable<string> | undefined;
  /** Who types; a claim, nothing vouches for it. */
  readonly user: string;
  readonly host: string;
  /** `SERIN_OPERATOR_KEY`: path of the key that signs an operator's orders. */
  readonly operatorKey: string | undefined;
  /** `SERIN_TOKEN`: its bearer vouches for commands. */
  readonly token: string | undefined;
  /** `SERIN_NATS`. */
  readonly defaultNats: string | undefined;
  /** `SERIN_NATS_CREDS`: path of credentials for NATS. */
  readonly natsCreds: string | undefined;
  /** `SERIN_NATS_CA`: path of the authority of NATS's certificate. */
  readonly natsCa: string | undefined;
  /** `SERIN_NATS_REPLICAS`: servers of NATS that keep each stream. */
  readonly natsReplicas: string | undefined;
  /** True in a pod of Kubernetes whose account is mounted. */
  isPod(): boolean;
  /** Paths of the kubeconfigs that kubectl would read here; none where there are none. */
  kubeconfig(): readonly string[];
  /** True where OTEL_* variables ask for a push. */
  readonly otlp: boolean;
  nowMs(): number;
  newId(): string;
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Options are checked by the part itself. */
  startSidecar(
    options: unknown,
    log: LogLevel,
  ): Promise<Running & { readonly metricsUrl: string | undefined; readonly extProcPort: number | undefined }>;
  /** Several sidecars, each a process; `workers` tells where they listen. */
  startWorkers(
    options: unknown,
    count: number,
    log: LogLevel,
  ): Promise<Running & { readonly metricsUrl: string | undefined; readonly workers: readonly object[] }>;
  /** Serves as one of several, for the process that started this one. */
  runWorker(): Promise<ExitCode>;
  /** Rejects with an AbortError when `signal` comes before it runs. */
  startController(options: unknown, log: LogLevel): Promise<Running>;
  runDemo(options: { json: boolean }): Promise<ExitCode>;
}

/** Resolves at the signal to stop. */
export const stopped = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
