import type { ValueType } from "@opentelemetry/api";
import type { AggregationTemporality, DataPointType } from "@opentelemetry/sdk-metrics";

// The numbers of OpenTelemetry's enums, which their types hold these to: to load its SDK for them takes longer than all that a
// sidecar needs to answer its first request.

/** What a metric's points are. */
export const POINT: Readonly<typeof DataPointType> = { HISTOGRAM: 0, EXPONENTIAL_HISTOGRAM: 1, GAUGE: 2, SUM: 3 };

/** What a metric's values are. */
export const VALUE: Readonly<typeof ValueType> = { INT: 0, DOUBLE: 1 };

/** Counted since the start time, not since the last look. */
export const CUMULATIVE: AggregationTemporality.CUMULATIVE = 1;
