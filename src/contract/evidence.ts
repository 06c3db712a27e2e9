import * as z from "zod";

/**
 * Evidence is an OTLP/JSON metrics message (opentelemetry-proto `ExportMetricsServiceRequest`), cumulative, holding only
 * the series that changed. The resource carries these attributes besides OpenTelemetry's own.
 */
export const RESOURCE = {
  instance: "service.instance.id",
  /** Counts up by one with each message of a process, from 1. */
  sequence: "serin.sequence",
  /** `epoch.revision` in force when the message was made. */
  revision: "serin.revision",
} as const;

/** Labels of `serin_decisions_total`, `serin_outcomes_total`, `serin_requests_settled_total`, `serin_cluster_missing_total` and `serin_outcome_duration_seconds`. */
export const LABELS = {
  rollout: "rollout",
  variant: "variant",
  run: "run",
  control: "control",
  class: "class",
  reason: "reason",
  half: "half",
} as const;

/**
 * Halves of stable, for dispersion: of each stable series the part in one half of upstream hosts and in one half of users, labelled by
 * `half`. They stand in evidence alone: a scrape would hold each series of stable three times.
 */
export const HALF_METRICS = { outcomes: "serin_half_outcomes_total", duration: "serin_half_outcome_duration_seconds" } as const;
export const HALF_NAMES = ["hosts", "keys"] as const;
export type HalfName = (typeof HALF_NAMES)[number];

/**
 * How a request ended: `aborted` when the client left, `local` when Envoy answered before any upstream was tried. Of a shadow, and of what it
 * got copies of, answers with 4xx are told apart as `refused`; elsewhere they are `ok`.
 */
export const OutcomeClassSchema = z.enum(["ok", "failed", "aborted", "local", "refused"]);
export type OutcomeClass = z.infer<typeof OutcomeClassSchema>;

const AttributeSchema = z.object({
  key: z.string(),
  value: z.object({
    stringValue: z.string().optional(),
    intValue: z.union([z.string(), z.number()]).optional(),
    boolValue: z.boolean().optional(),
    doubleValue: z.number().optional(),
  }),
});

const Nanos = z.union([z.string().regex(/^\d+$/), z.number(), z.object({ low: z.number(), high: z.number() })]);
const Count = z.union([z.string().regex(/^\d+$/), z.number().min(0)]);

const NumberPointSchema = z.object({
  attributes: z.array(AttributeSchema).default([]),
  startTimeUnixNano: Nanos,
  timeUnixNano: Nanos,
  asInt: z.union([z.string().regex(/^-?\d+$/), z.number()]).optional(),
  asDouble: z.number().optional(),
});

const HistogramPointSchema = z.object({
  attributes: z.array(AttributeSchema).default([]),
  startTimeUnixNano: Nanos,
  timeUnixNano: Nanos,
  count: Count,
  sum: z.number().optional(),
  bucketCounts: z.array(Count),
  explicitBounds: z.array(z.number()),
});

const MetricSchema = z.object({
  name: z.string(),
  sum: z.object({ dataPoints: z.array(NumberPointSchema), aggregationTemporality: z.literal(2), isMonotonic: z.boolean() }).optional(),
  gauge: z.object({ dataPoints: z.array(NumberPointSchema) }).optional(),
  histogram: z.object({ dataPoints: z.array(HistogramPointSchema), aggregationTemporality: z.literal(2) }).optional(),
});

/** The part of OTLP/JSON that evidence uses; other fields may stand beside it and are ignored. */
export const EvidenceSchema = z.object({
  resourceMetrics: z
    .array(
      z.object({
        resource: z.object({ attributes: z.array(AttributeSchema) }),
        scopeMetrics: z.array(z.object({ metrics: z.array(MetricSchema) })),
      }),
    )
    .min(1),
});

export type Evidence = z.infer<typeof EvidenceSchema>;
export type EvidenceMetric = z.infer<typeof MetricSchema>;
