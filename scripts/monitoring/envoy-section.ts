import type { Section } from "./board.ts";
import { lines } from "./panels.ts";
import { ENVOY_METRICS, type Metric, series } from "./promql.ts";

const envoy = (metric: Metric): string =>
  `sum(rate(${series(metric, ['job=~"$envoy_job"', 'instance=~"$envoy_instance"'])}[$__rate_interval]))`;

/** What Envoy says of the sidecars. */
export const ENVOY: Section = {
  title: "As Envoy sees it",
  panels: [
    lines({
      title: "Streams to sidecars",
      about: "By Envoy's statistics, where Prometheus scrapes its `/stats/prometheus`. Failed ones end at stable.",
      unit: "reqps",
      queries: [
        [envoy(ENVOY_METRICS.streamsStarted), "begun"],
        [envoy(ENVOY_METRICS.streamsFailed), "failed"],
      ],
    }).min(0),
    lines({
      title: "What went wrong",
      about:
        "`too late`: no answer within the time that Envoy waits. `failed open`: went on to stable. The other two are faults of the sidecar, or of `mutation_rules`.",
      unit: "reqps",
      queries: [
        [envoy(ENVOY_METRICS.messageTimeouts), "too late"],
        [envoy(ENVOY_METRICS.failedOpen), "failed open"],
        [envoy(ENVOY_METRICS.mutationsRejected), "headers refused"],
        [envoy(ENVOY_METRICS.spuriousMessages), "answers to nothing"],
      ],
    }).min(0),
  ],
};
