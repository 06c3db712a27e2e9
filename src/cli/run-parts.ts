import * as z from "zod";
import { UsageError } from "../contract/errors.ts";
import type { ExitCode } from "../contract/exit-codes.ts";
import { EXIT } from "../contract/exit-codes.ts";
import type { LogLevel } from "../io/log-levels.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { parseReplicas } from "./flags.ts";
import { type CliParts, type Running, stopped } from "./parts.ts";

/** Flags of `serin sidecar`; durations in milliseconds. */
export interface SidecarFlags extends Partial<NatsFlags> {
  readonly extProc: string;
  readonly als?: string;
  readonly metrics?: string;
  readonly rules?: string;
  readonly id?: string;
  readonly stateDir?: string;
  readonly operatorKeys?: string;
  readonly staleAfter?: number;
  readonly unwatchedAfter?: number;
  readonly drain?: number;
  readonly trustPeer?: readonly string[];
  readonly label?: readonly (readonly [string, string])[];
  readonly workers?: number;
  readonly cookieKey?: string;
  readonly debugSecret?: string;
  readonly logLevel: LogLevel;
  readonly json?: boolean;
}

/** Runs a sidecar until the signal. */
export async function runSidecar(flags: SidecarFlags, parts: CliParts): Promise<ExitCode> {
  if (flags.nats !== undefined && flags.rules !== undefined)
    throw new UsageError("--nats and --rules exclude each other; rules come from one of them");
  const nats = flags.nats ?? parts.defaultNats;
  if (nats === undefined && flags.rules === undefined) throw new UsageError("the rules are missing; give --nats URL or --rules FILE");
  const options = withoutUndefined({
    id: flags.id ?? defaultId(parts.host, flags.extProc),
    extProc: flags.extProc,
    als: flags.als,
    metrics: flags.metrics,
    source: flags.rules === undefined ? withoutUndefined({ ...natsOf(flags), nats }) : { file: flags.rules },
    stateDir: flags.stateDir,
    operatorKeys: flags.operatorKeys,
    staleAfterMs: flags.staleAfter,
    unwatchedAfterMs: flags.unwatchedAfter,
    drainMs: flags.drain,
    trustPeers: flags.trustPeer,
    labels: flags.label === undefined ? undefined : Object.fromEntries(flags.label),
    cookieKeyFile: flags.cookieKey,
    debugSecretFile: flags.debugSecret,
    otlp: parts.otlp,
  });
  const { logLevel, workers = 1 } = flags;
  const [running, where] = await checked(() => startOneOrMore(options, { logLevel, workers }, parts));
  if (flags.json === true) parts.out(`${JSON.stringify({ id: options["id"], metrics: running.metricsUrl ?? null, ...where })}\n`);
  await stopped(parts.signal);
  await running.stop();
  return EXIT.done;
}

const natsOf = ({ nats, natsCreds, natsCa }: Partial<NatsFlags>) => ({ nats, natsCreds, natsCa });

type Started = [running: Running & { readonly metricsUrl: string | undefined }, where: object];

async function startOneOrMore(
  options: unknown,
  { workers, logLevel }: Required<Pick<SidecarFlags, "workers" | "logLevel">>,
  parts: CliParts,
): Promise<Started> {
  if (workers === 1) {
    const running = await parts.startSidecar(options, logLevel);
    return [running, { extProcPort: running.extProcPort ?? null }];
  }
  const running = await parts.startWorkers(options, workers, logLevel);
  return [running, { workers: running.workers }];
}

/** Flags of `serin controller`; durations in milliseconds. */
export interface ControllerFlags extends NatsFlags {
  readonly natsReplicas?: number;
  readonly id?: string;
  readonly http?: string;
  readonly prometheus?: string;
  readonly prometheusEvery?: number;
  readonly operatorKeys?: string;
  readonly checksPrometheus?: string;
  readonly checkSecrets?: string;
  readonly feedbackTokenFile?: string;
  readonly tokens?: string;
  readonly notifySecrets?: string;
  readonly publicUrl?: string;
  /** An address, a kubeconfig, or true for the cluster that the controller runs in or kubectl speaks to. */
  readonly kubernetes?: string | true;
  readonly kubernetesContext?: string;
  readonly renew?: number;
  readonly lease?: number;
  readonly logLevel: LogLevel;
  readonly json?: boolean;
}

/** What `SERIN_NATS_REPLICAS` says; an empty one says nothing. Throws UsageError where the flag would be refused. */
function replicasNamed(text = ""): number | undefined {
  if (text === "") return undefined;
  try {
    return parseReplicas(text);
  } catch (cause) {
    throw new UsageError(`SERIN_NATS_REPLICAS: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Runs a controller until the signal. */
export async function runController(flags: ControllerFlags, parts: CliParts): Promise<ExitCode> {
  const id = flags.id ?? defaultId(parts.host, parts.newId());
  const options = withoutUndefined({
    id,
    ...natsOf(flags),
    natsReplicas: flags.natsReplicas ?? replicasNamed(parts.natsReplicas),
    http: flags.http,
    prometheus: flags.prometheus,
    prometheusEveryMs: flags.prometheusEvery,
    operatorKeys: flags.operatorKeys,
    checksPrometheus: flags.checksPrometheus,
    checkSecrets: flags.checkSecrets,
    feedbackTokenFile: flags.feedbackTokenFile,
    tokens: flags.tokens,
    notifySecrets: flags.notifySecrets,
    publicUrl: flags.publicUrl,
    kubernetes: kubernetesOf(flags, parts),
    renewMs: flags.renew,
    leaseMs: flags.lease,
    otlp: parts.otlp,
  });
  const running = await startedController(options, flags.logLevel, parts);
  if (running === undefined) return EXIT.done;
  if (flags.json === true) parts.out(`${JSON.stringify({ id })}\n`);
  await stopped(parts.signal);
  await running.stop();
  return EXIT.done;
}

/** A context is one of a kubeconfig, so who names one means no pod's account. */
function kubernetesOf({ kubernetes: where, kubernetesContext: context }: ControllerFlags, parts: CliParts): object | undefined {
  if (where === undefined && context === undefined) return undefined;
  if (where === "") throw new UsageError("--kubernetes: names nothing; give a kubeconfig or an address, or the flag alone");
  if (typeof where === "string") {
    if (!where.includes("://")) return withoutUndefined({ kubeconfig: [where], context });
    if (context !== undefined) throw new UsageError("--kubernetes-context: an address has no contexts; give a kubeconfig, or no context");
    return { url: where };
  }
  if (context === undefined && parts.isPod()) return { pod: parts.host };
  const kubeconfig = parts.kubeconfig();
  if (kubeconfig.length > 0) return withoutUndefined({ kubeconfig, context });
  throw new UsageError(
    "--kubernetes: this is no pod with an account, and there is no kubeconfig (KUBECONFIG, ~/.kube/config); in a pod let the account be mounted (automountServiceAccountToken), elsewhere name a kubeconfig, or give an address, like that of `kubectl proxy`, http://127.0.0.1:8001",
  );
}

/** Undefined when the signal came while NATS was still away: nothing runs then. */
async function startedController(options: unknown, level: LogLevel, parts: CliParts): Promise<Running | undefined> {
  try {
    return await checked(() => parts.startController(options, level));
  } catch (error) {
    if (parts.signal.aborted && error instanceof Error && error.name === "AbortError") return undefined;
    throw error;
  }
}

/** A bad option is the user's error, with its name and how to put it right. */
async function checked<Result>(start: () => Promise<Result>): Promise<Result> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const faults = error.issues.map((issue) => `${flagOf(issue.path)}: ${issue.message}`);
    throw new UsageError(faults.join("\n"), { cause: error });
  }
}

/** The flag of an option, like `--prometheus-every` of `prometheusEveryMs`. */
const flagOf = ([name]: readonly PropertyKey[]): string =>
  name === undefined
    ? "options"
    : `--${String(name)
        .replace(/Ms$/, "")
        .replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** An id that survives a restart of the same process on the same host. */
function defaultId(host: string, address: string): string {
  let hash = 5_381;
  for (const char of address) hash = (Math.imul(hash, 33) ^ (char.codePointAt(0) ?? 0)) >>> 0;
  return `${host.replace(/[^A-Za-z0-9_-]/g, "-").slice(0, 60)}-${hash.toString(36)}`;
}

const withoutUndefined = (options: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
