#!/usr/bin/env node
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir, hostname, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import type { CliParts } from "../cli/parts.ts";
import { runCli } from "../cli/program.ts";
import { UsageError } from "../contract/errors.ts";
import { systemClock } from "../io/clock.ts";
import type { Logger } from "../io/log.ts";
import type { LogLevel } from "../io/log-levels.ts";
import { terminalOf } from "./terminal.ts";

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // The second signal means now.
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort();
  });
}

// The standard variables: an endpoint, or an exporter asked for by name.
const otlpWanted =
  Object.entries(process.env).some(([name, value]) => /^OTEL_EXPORTER_OTLP_(METRICS_|TRACES_)?ENDPOINT$/.test(name) && value !== "") ||
  ["OTEL_METRICS_EXPORTER", "OTEL_TRACES_EXPORTER"].some((name) => process.env[name]?.split(",").includes("otlp") === true);

/** Kubernetes tells each container where the API is, and mounts the account's token unless it is told not to. */
const isPod = (): boolean =>
  (process.env["KUBERNETES_SERVICE_HOST"] ?? "") !== "" && existsSync("/var/run/secrets/kubernetes.io/serviceaccount/token");

/** As kubectl looks for them: it passes over those of the variable that are not there. */
function kubeconfig(): string[] {
  const named = (process.env["KUBECONFIG"] ?? "").split(delimiter).filter((file) => file !== "");
  return (named.length === 0 ? [join(homedir(), ".kube", "config")] : named).filter((file) => existsSync(file));
}

/** How one of the programs makes its log. */
async function loadLog(name: string): Promise<(level: LogLevel) => Logger> {
  const { createLog } = await import("../io/log.ts");
  return (level) => createLog({ name, level });
}

/**
 * A sidecar's rules live long, and the rest dies within a request: a young generation that grows while rules are loaded (to 48 MB) is
 * kept and gains nothing. It stays as small as it is once the code is there, which loads faster with a growing one.
 */
const keepSmall = (): void => setFlagsFromString("--semi-space-growth-factor=1");

/** In a container the user may be a mere number, which has no name to look up. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}

// Each part is loaded only when it runs: `serin status` should not wait for a gRPC server's code.
const parts: CliParts = {
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
  columns: () => (process.stderr.isTTY ? process.stderr.columns : undefined),
  terminal: () => terminalOf(process),
  input: () => (process.stdin.isTTY ? undefined : createInterface({ input: process.stdin })),
  user: process.env["SERIN_USER"] ?? userName(),
  host: hostname(),
  defaultNats: process.env["SERIN_NATS"],
  natsCreds: process.env["SERIN_NATS_CREDS"],
  natsCa: process.env["SERIN_NATS_CA"],
  natsReplicas: process.env["SERIN_NATS_REPLICAS"],
  token: process.env["SERIN_TOKEN"],
  operatorKey: process.env["SERIN_OPERATOR_KEY"],
  isPod,
  kubeconfig,
  otlp: otlpWanted,
  nowMs: systemClock.nowMs,
  newId: () => randomBytes(12).toString("hex"),
  signal: stopping.signal,
  async startSidecar(options, level) {
    const [{ startSidecar }, { SidecarOptionsSchema }, { singleOptions }, createLog] = await Promise.all([
      import("../sidecar/sidecar.ts"),
      import("../sidecar/options.ts"),
      import("../sidecar/workers/worker-options.ts"),
      loadLog("serin-sidecar"),
    ]);
    keepSmall();
    return startSidecar(singleOptions(SidecarOptionsSchema.parse(options)), { log: createLog(level), clock: systemClock });
  },
  async startWorkers(options, count, level) {
    const [{ startWorkers }, { SidecarOptionsSchema }, { workerProcesses }, createLog] = await Promise.all([
      import("../sidecar/workers/workers.ts"),
      import("../sidecar/options.ts"),
      import("./worker-processes.ts"),
      loadLog("serin-sidecar"),
    ]);
    const startProcess = workerProcesses(fileURLToPath(import.meta.url));
    return startWorkers(SidecarOptionsSchema.parse(options), count, {
      startProcess,
      log: createLog(level),
      logLevel: level,
      clock: systemClock,
    });
  },
  async runWorker() {
    const [{ startSidecar }, { runWorker }, { parentChannel }, createLog] = await Promise.all([
      import("../sidecar/sidecar.ts"),
      import("../sidecar/workers/worker.ts"),
      import("./worker-processes.ts"),
      loadLog("serin-sidecar"),
    ]);
    keepSmall();
    const channel = parentChannel();
    if (channel === undefined) throw new UsageError("sidecar-worker is started by `serin sidecar --workers`; start that");
    const code = await runWorker({ channel, signal: stopping.signal, clock: systemClock, createLog, start: startSidecar });
    // Without its parent it may have left something open.
    process.exit(code);
  },
  async startController(options, level) {
    const [{ startController }, { ControllerOptionsSchema }, createLog] = await Promise.all([
      import("../controller/controller.ts"),
      import("../controller/options.ts"),
      loadLog("serin-controller"),
    ]);
    const { signal } = stopping;
    return startController(ControllerOptionsSchema.parse(options), { log: createLog(level), clock: systemClock, signal });
  },
  async runDemo({ json }) {
    // A closed terminal must leave no servers behind; a sidecar may well run on without one.
    process.once("SIGHUP", () => stopping.abort());
    const [{ runDemo }, { plainVariant }] = await Promise.all([import("../demo/demo.ts"), import("../../test/support/plain-bucketing.ts")]);
    return runDemo({
      json,
      signal: stopping.signal,
      serinBin: fileURLToPath(import.meta.url),
      env: process.env,
      expectedVariant: plainVariant,
      out: parts.out,
      error: parts.error,
      columns: parts.columns,
    });
  },
};

/** For output that is on its way; what else holds the process, like a push to a collector that never answers, is owed to nobody. */
const LAST_WORDS_MS = 1_000;

process.exitCode = await runCli(process.argv.slice(2), parts);
if (process.argv[2] === "sidecar" || process.argv[2] === "controller") setTimeout(() => process.exit(), LAST_WORDS_MS).unref();
