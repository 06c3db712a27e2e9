import type { MetricData } from "@opentelemetry/sdk-metrics";
import * as z from "zod";
import { EXIT } from "../../contract/exit-codes.ts";
import { LOG_LEVELS } from "../../io/log-levels.ts";
import { CUMULATIVE, POINT, VALUE } from "../../io/metric-kinds.ts";
import { SidecarOptionsSchema } from "../options.ts";

const HrTimeSchema = z.tuple([z.int(), z.int()]);

const pointsOf = <Value extends z.ZodType>(value: Value) =>
  z.array(
    z.object({
      startTime: HrTimeSchema,
      endTime: HrTimeSchema,
      attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      value,
    }),
  );

const shared = {
  descriptor: z.object({ name: z.string(), description: z.string(), unit: z.string(), valueType: z.enum(VALUE) }),
  aggregationTemporality: z.literal(CUMULATIVE),
};

const HistogramSchema = z.object({
  buckets: z.object({ boundaries: z.array(z.number()), counts: z.array(z.number()) }),
  sum: z.number(),
  count: z.number(),
});

/** The metrics that a sidecar shows, as OpenTelemetry's `MetricData`: cumulative sums and histograms, and gauges. */
const MetricsSchema = z.array(
  z.discriminatedUnion("dataPointType", [
    z.object({ ...shared, dataPointType: z.literal(POINT.SUM), isMonotonic: z.literal(true), dataPoints: pointsOf(z.number()) }),
    z.object({ ...shared, dataPointType: z.literal(POINT.GAUGE), dataPoints: pointsOf(z.number()) }),
    z.object({ ...shared, dataPointType: z.literal(POINT.HISTOGRAM), dataPoints: pointsOf(HistogramSchema) }),
  ]),
);

const RequestSchema = z.int().describe("Number of the question, given back with its answer.");

/** What the parent says to a worker. */
export const ToWorkerSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("start"), options: SidecarOptionsSchema, logLevel: z.enum(LOG_LEVELS) }),
  z.strictObject({ type: z.literal("ask"), request: RequestSchema, about: z.enum(["metrics", "readiness"]) }),
  z.strictObject({ type: z.literal("stop") }),
]);

/** What a worker says to its parent. */
export const FromWorkerSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("serving"), extProcPort: z.int().optional(), alsPort: z.int().optional() }),
  z.strictObject({ type: z.literal("failed"), code: z.string(), exitCode: z.literal(Object.values(EXIT)), message: z.string() }),
  z.strictObject({
    type: z.literal("metrics"),
    request: RequestSchema,
    metrics: MetricsSchema,
    isLast: z.boolean().describe("False for an answer that goes on; parts of two answers never mix."),
  }),
  z.strictObject({
    type: z.literal("readiness"),
    request: RequestSchema,
    isReady: z.boolean(),
    body: z.record(z.string(), z.unknown()),
  }),
  z.strictObject({ type: z.literal("last"), metrics: MetricsSchema }).describe("The counts at the end, when nothing is served any more."),
]);

export type WorkerMetrics = z.infer<typeof MetricsSchema>;
export type ToWorker = z.infer<typeof ToWorkerSchema>;
export type FromWorker = z.infer<typeof FromWorkerSchema>;
/** The same before the parent has checked it: a worker that serves spends no time on that. */
export type WorkerSays =
  | Exclude<FromWorker, { readonly metrics: unknown }>
  | { readonly type: "metrics"; readonly request: number; readonly metrics: readonly MetricData[]; readonly isLast: boolean }
  | { readonly type: "last"; readonly metrics: readonly MetricData[] };
