import type { MetricData } from "@opentelemetry/sdk-metrics";
import { METRICS } from "../../contract/names.ts";
import { type Readiness, startHttp } from "../../io/http.ts";
import type { Logger } from "../../io/log.ts";
import { metricOf, type Reading, reading } from "../../io/metric-points.ts";
import { startTelemetry } from "../../io/telemetry.ts";
import { type SidecarOptions, SidecarOptionsSchema, type SidecarSettings } from "../options.ts";
import { createMergedCounts, type MergedCounts } from "./merged-counts.ts";
import { type SupervisedWorker, superviseWorker, type WorkerParts } from "./supervised-worker.ts";
import { workerOptions } from "./worker-options.ts";

/** Several sidecars that serve as one. */
export interface RunningWorkers {
  /** `http://host:port` of metrics, /healthz and /readyz of all; undefined where they are off. */
  readonly metricsUrl: string | undefined;
  /** Where each listens, as `unix:PATH` or `HOST:PORT`. */
  readonly workers: readonly { readonly id: string; readonly extProc: string; readonly als?: string }[];
  /** Drains all, and resolves when no process is left; a second call waits for the first. */
  stop(): Promise<void>;
}

/** For what a worker does after its drain: streams, NATS and the last counts. */
export const GRACE_MS = 10_000;

/** Starts so many workers and what is one for all of them. Throws when one cannot start; then none is left. */
export async function startWorkers(options: SidecarOptions, count: number, parts: WorkerParts): Promise<RunningWorkers> {
  const settings = SidecarOptionsSchema.parse(options);
  const each = workerOptions(settings, count);
  const team = createTeam(settings, parts);
  const page = await startPage(settings, { team, log: parts.log });
  try {
    // The SDK is 25 MB in each process.
    const otlp = page.pushesSpans ? "spans" : false;
    const ports = await team.start(each.map((one) => ({ ...one, otlp })));
    parts.log.info({ id: settings.id, workers: each.map(({ id }) => id), metrics: page.url }, "all workers serve");
    const stop = async (): Promise<void> => {
      parts.log.info({ drainMs: settings.drainMs }, "draining all workers");
      await team.stop(settings.drainMs + GRACE_MS);
      await page.stop();
      parts.log.info("all workers ended");
    };
    let stopped: Promise<void> | undefined;
    const workers = each.map(({ id, extProc, als }, index) => ({
      id,
      extProc: withPort(extProc, ports[index]?.extProcPort),
      ...(als !== undefined && { als: withPort(als, ports[index]?.alsPort) }),
    }));
    return { metricsUrl: page.url, workers, stop: () => (stopped ??= stop()) };
  } catch (error) {
    await team.stop(0);
    await page.stop();
    throw error;
  }
}

type Ports = Awaited<SupervisedWorker["started"]>;

interface Team {
  start(options: readonly SidecarSettings[]): Promise<Ports[]>;
  collect(): Promise<MetricData[]>;
  readiness(): Promise<Readiness>;
  stop(deadlineMs: number): Promise<void>;
}

function createTeam({ id }: SidecarSettings, parts: WorkerParts): Team {
  const { log, clock } = parts;
  const counts = createMergedCounts(
    sayOnceEach((name) => log.error({ metric: name }, "a worker counts in another shape, it is left out; restart all")),
  );
  const startedAtMs = clock.nowMs();
  let workers: readonly SupervisedWorker[] = [];
  let unanswered = 0;
  let collecting: Promise<MetricData[]> | undefined;
  const collect = async (): Promise<MetricData[]> => {
    const answers = await Promise.all(workers.map((worker) => worker.ask("metrics")));
    unanswered += answers.filter((answer) => answer === "silent").length;
    const span = { startMs: startedAtMs, nowMs: clock.nowMs() };
    return [...mergedBy(answers, counts, span.nowMs), ...readingsOf(workers, unanswered).map((each) => metricOf(each, span))];
  };
  return {
    start(options) {
      workers = options.map((each, slot) =>
        superviseWorker(each, parts, { counted: (metrics) => counts.take(slot, metrics, clock.nowMs()), died: () => counts.gone(slot) }),
      );
      return Promise.all(workers.map(({ started }) => started));
    },
    // A scrape and a push at the same time are one question.
    collect: () =>
      (collecting ??= collect().finally(() => {
        collecting = undefined;
      })),
    async readiness() {
      const answers = await Promise.all(workers.map((worker) => worker.ask("readiness")));
      const each = answers.map((answer, index) => {
        if (typeof answer === "object" && answer.type === "readiness") return { isReady: answer.isReady, ...answer.body };
        const problem = answer === "silent" ? "it does not answer" : "it is being started";
        return { isReady: false, id: workers[index]?.id, problem };
      });
      return { isReady: each.length > 0 && each.every(({ isReady }) => isReady), body: { id, workers: each } };
    },
    async stop(deadlineMs) {
      await Promise.all(workers.map((worker) => worker.stop(deadlineMs)));
    },
  };
}

const mergedBy = (answers: readonly Awaited<ReturnType<SupervisedWorker["ask"]>>[], counts: MergedCounts, nowMs: number): MetricData[] =>
  counts.merged(new Set(answers.flatMap((answer, slot) => (typeof answer === "object" ? [slot] : []))), nowMs);

function readingsOf(workers: readonly SupervisedWorker[], unanswered: number): Reading[] {
  const restarts = workers.reduce((sum, worker) => sum + worker.restarts(), 0);
  return [
    reading(METRICS.workers, workers.filter((worker) => worker.isServing()).length),
    reading(METRICS.workersRestarted, restarts),
    reading(METRICS.workersUnanswered, unanswered),
  ];
}

/** Metrics, /healthz and /readyz of all, and the push where it is wanted. */
async function startPage(
  { id, metrics, otlp }: SidecarSettings,
  { team, log }: { readonly team: Team; readonly log: Logger },
): Promise<Readonly<{ url: string | undefined; pushesSpans: boolean; stop(): Promise<void> }>> {
  async function* collect(): AsyncGenerator<MetricData> {
    yield* await team.collect();
  }
  const telemetry = await startTelemetry({ service: "serin-sidecar", instance: id, otlp, collect, log });
  const http =
    metrics === "off"
      ? undefined
      : await startHttp({ address: metrics, what: "metrics", flag: "--metrics" }, { metrics: telemetry.serve, readiness: team.readiness });
  return {
    url: http?.url,
    pushesSpans: telemetry.span !== undefined,
    async stop() {
      await http?.stop();
      await telemetry.stop();
    },
  };
}

const withPort = (address: string, port: number | undefined): string =>
  port === undefined ? address : `${address.slice(0, address.lastIndexOf(":"))}:${port}`;

function sayOnceEach(say: (name: string) => void): (name: string) => void {
  const said = new Set<string>();
  return (name) => {
    if (!said.has(name)) say(name);
    said.add(name);
  };
}
