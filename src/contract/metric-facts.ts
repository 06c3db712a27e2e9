import { CONTROLLER_FACTS } from "./controller-metrics.ts";
import type { MetricFact } from "./metric-fact.ts";
import { SIDECAR_FACTS } from "./sidecar-metrics.ts";

/** Every metric, in the order of the reference. */
export const METRIC_FACTS: readonly MetricFact[] = [...SIDECAR_FACTS, ...CONTROLLER_FACTS];
