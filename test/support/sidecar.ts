import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { waitFor } from "../../src/demo/wait-for.ts";
import { systemClock } from "../../src/io/clock.ts";
import { createLog, type Logger } from "../../src/io/log.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import type { SidecarOptions } from "../../src/sidecar/options.ts";
import { type RunningSidecar, startSidecar } from "../../src/sidecar/sidecar.ts";

/** A sidecar in this process, on a socket of its own, with clients that speak to it as Envoy does. */
export interface TestSidecar extends RunningSidecar {
  readonly directory: string;
  /** Sends messages on one stream, half-closes, and returns the answers. */
  process(...messages: object[]): Promise<Record<string, unknown>[]>;
  /** Sends one message on a stream, and cuts the stream as soon as it is answered. */
  cut(message: object): Promise<void>;
  /** Opens streams of each kind that Envoy keeps open for ever. */
  hold(): { readonly begun: Promise<unknown>; readonly ended: Promise<unknown> };
  /** Sends one batch of access log entries. */
  log(...entries: object[]): Promise<void>;
  health(): Promise<string>;
  /** Watches the health on one stream; gives all that was heard until then. */
  watchHealth(): { until(status: string): Promise<string[]> };
  /** Begins to stop while the clients stay, as Envoy's do. */
  beginStop(): Promise<void>;
  metrics(): Promise<string>;
  ready(): Promise<{ status: number; body: Record<string, unknown> }>;
}

type Options = Partial<SidecarOptions> & Pick<SidecarOptions, "source">;

export async function startTestSidecar(options: Options, log: Logger = createLog({ name: "test", level: "silent" })): Promise<TestSidecar> {
  const directory = await mkdtemp(join(tmpdir(), "serin-sc-"));
  const address = options.extProc ?? `unix:${join(directory, "s.sock")}`;
  const parts = { log, clock: systemClock };
  const sidecar = await startSidecar({ id: "s1", extProc: address, metrics: "127.0.0.1:0", drainMs: 0, ...options }, parts).catch(
    async (error: unknown) => {
      await rm(directory, { recursive: true, force: true });
      throw error;
    },
  );
  const clients = createClients(sidecar.extProcPort === undefined ? address : `127.0.0.1:${sidecar.extProcPort}`);
  return {
    ...sidecar,
    ...clients,
    directory,
    metrics: async () => (await fetch(`${sidecar.metricsUrl}/metrics`)).text(),
    async ready() {
      const response = await fetch(`${sidecar.metricsUrl}/readyz`);
      const body: unknown = await response.json();
      return { status: response.status, body: Object(body) };
    },
    beginStop: sidecar.stop,
    async stop() {
      clients.close();
      await sidecar.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function createClients(
  address: string,
): Pick<TestSidecar, "process" | "cut" | "hold" | "log" | "health" | "watchHealth"> & { close(): void } {
  const files = [
    "envoy/service/ext_proc/v3/external_processor.proto",
    "envoy/service/accesslog/v3/als.proto",
    "grpc/health/v1/health.proto",
  ];
  const loaded = loadPackageDefinition(
    loadSync(files, { includeDirs: [join(packageRoot(), "proto")], longs: Number, enums: String, oneofs: true }),
  );
  const client = (path: string) => {
    let at: unknown = loaded;
    for (const part of path.split(".")) at = Object(at)[part];
    // loadPackageDefinition gives constructors at these paths.
    return new (at as ServiceClientConstructor)(address, credentials.createInsecure());
  };
  const [extProc, accessLog, health] = [
    client("envoy.service.ext_proc.v3.ExternalProcessor"),
    client("envoy.service.accesslog.v3.AccessLogService"),
    client("grpc.health.v1.Health"),
  ];
  const watchStream = () => {
    const heard: string[] = [];
    const stream = health["Watch"]?.call(health, {});
    stream.on("data", ({ status }: { status: string }) => heard.push(status));
    const ended = new Promise((resolve) => {
      stream.on("error", resolve);
      stream.on("end", resolve);
    });
    return { heard, ended };
  };
  return {
    process: (...messages) =>
      new Promise((resolve, reject) => {
        const answers: Record<string, unknown>[] = [];
        const stream = extProc["Process"]?.call(extProc);
        stream.on("data", (answer: Record<string, unknown>) => answers.push(answer));
        stream.on("end", () => resolve(answers));
        stream.on("error", reject);
        for (const message of messages) stream.write(message);
        stream.end();
      }),
    log: (...logEntry) =>
      new Promise((resolve, reject) => {
        const stream = accessLog["StreamAccessLogs"]?.call(accessLog, (error: Error | null) =>
          error === null ? resolve() : reject(error),
        );
        stream.write({ identifier: { logName: "serin", node: { id: "edge" } }, httpLogs: { logEntry } });
        stream.end();
      }),
    cut: (message) =>
      new Promise((resolve) => {
        const stream = extProc["Process"]?.call(extProc);
        stream.once("data", () => stream.cancel());
        // The cancellation comes back as an error.
        stream.on("error", () => resolve());
        stream.write(message);
      }),
    hold() {
      const watch = watchStream();
      const ended = new Promise((resolve) => {
        const logs = accessLog["StreamAccessLogs"]?.call(accessLog, resolve);
        logs.write({ identifier: { logName: "serin", node: { id: "edge" } } });
      });
      const begun = waitFor(() => watch.heard.length > 0, { deadlineMs: 10_000, what: "the watch to begin" });
      return { begun, ended: Promise.all([ended, watch.ended]) };
    },
    watchHealth() {
      const { heard } = watchStream();
      const until = (status: string) =>
        waitFor(() => (heard.includes(status) ? heard : undefined), { deadlineMs: 10_000, what: `health to be ${status}` });
      return { until };
    },
    health: () =>
      new Promise((resolve, reject) => {
        health["Check"]?.call(health, {}, (error: Error | null, answer: { status: string }) =>
          error === null ? resolve(answer.status) : reject(error),
        );
      }),
    close() {
      for (const each of [extProc, accessLog, health]) each.close();
    },
  };
}

/** Request headers as Envoy sends them. */
export const requestHeaders = (headers: Record<string, string>): object => ({
  requestHeaders: {
    headers: {
      headers: Object.entries({ ":authority": "shop.example", ":path": "/", ...headers }).map(([key, value]) => ({
        key,
        rawValue: Buffer.from(value),
      })),
    },
  },
});

/** The variant that an answer names in its metadata. */
export function variantOf(answer: unknown): string | undefined {
  return Object(answer).dynamicMetadata?.fields?.serin?.structValue?.fields?.variant?.stringValue;
}

/** What a user would see now. */
export const decidedFor = async (sidecar: TestSidecar, user: string): Promise<string | undefined> =>
  variantOf((await sidecar.process(requestHeaders({ "x-user-id": user })))[0]);

export const waitForVariant = (sidecar: TestSidecar, user: string, variant: string): Promise<true> =>
  waitFor(async () => ((await decidedFor(sidecar, user)) === variant ? true : undefined), {
    deadlineMs: 15_000,
    what: `${user} to get ${variant}`,
  });
