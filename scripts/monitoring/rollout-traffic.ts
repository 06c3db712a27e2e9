import { METRICS } from "../../src/contract/names.ts";
import type { Section } from "./board.ts";
import { lines, type Query } from "./panels.ts";
import { type Metric, quantile, ratio, series, sumBy } from "./promql.ts";

const QUANTILES = [0.5, 0.95, 0.99] as const;

/** What users of both variants see, of the series that the matchers select. */
export function trafficOf(matchers: readonly string[]): Section {
  const rate = (labels: string, metric: Metric, ...more: string[]): string =>
    sumBy(labels, `rate(${series(metric, [...matchers, ...more])}[$__rate_interval])`);
  const quantiles = (metric: Metric): Query[] =>
    QUANTILES.map((q) => [
      quantile(q, sumBy("le, variant", `rate(${series(metric, matchers, "_bucket")}[$__rate_interval])`)),
      `{{variant}} p${q * 100}`,
    ]);
  const rescued = ratio(rate("variant", METRICS.rescued), rate("variant", METRICS.outcomes));
  return {
    title: "Traffic by variant",
    panels: [
      lines({
        title: "Requests decided",
        about: "Requests a second that go to each variant. A canary without requests cannot be judged.",
        unit: "reqps",
        queries: [[rate("variant", METRICS.decisions), "{{variant}}"]],
      }).min(0),
      lines({
        title: "Failed",
        about:
          "Part of the ended requests that failed on the variant that was tried first, rescued ones among them. Compare the lines: what meets both is not the canary's.",
        unit: "percentunit",
        queries: [[ratio(rate("variant", METRICS.outcomes, 'class="failed"'), rate("variant", METRICS.outcomes)), "{{variant}}"]],
      }).min(0),
      lines({
        title: "Time at the upstream",
        about: "What is judged: without the time for the decision. Rescued requests leave the canary's line.",
        unit: "s",
        queries: quantiles(METRICS.outcomeDuration),
      }).min(0),
      lines({
        title: "Time end to end",
        about: "What users wait for: from the request's first byte at Envoy to the answer's last.",
        unit: "s",
        queries: quantiles(METRICS.requestDuration),
      }).min(0),
      lines({
        title: "Time to the first byte",
        about:
          "From the request's first byte at Envoy to the answer's first. Far below the time end to end: bodies are long, or clients slow.",
        unit: "s",
        queries: quantiles(METRICS.firstByteDuration),
      }).min(0),
      lines({
        title: "Why decided so",
        about:
          "`share` is the rollout's own, `target` and `cohort` are users by name or from a hop before, `no key` brought no bucketing key. `off` and `unwatched` send everyone to stable.",
        unit: "reqps",
        queries: [[rate("reason", METRICS.decisions), "{{reason}}"]],
      }).min(0),
      lines({
        title: "Rescued",
        about: "Part of the requests that failed on the canary and that stable answered in its place: failures that no user saw.",
        unit: "percentunit",
        queries: [[rescued, "{{variant}}"]],
        span: 6,
      }).min(0),
      lines({
        title: "How requests end",
        about: "`aborted`: the client left, for instance because it waited too long. `local`: Envoy answered by itself, nobody's fault.",
        unit: "reqps",
        queries: [[rate("variant, class", METRICS.outcomes), "{{variant}} {{class}}"]],
        span: 6,
      }).min(0),
      lines({
        title: "gRPC status",
        about: "Of requests that ended with one.",
        unit: "reqps",
        queries: [[rate("variant, grpc_status", METRICS.grpcOutcomes), "{{variant}} {{grpc_status}}"]],
        span: 6,
      }).min(0),
      lines({
        title: "Another cluster answered",
        about:
          "The canary was decided, and Envoy sent the request elsewhere: a route or cluster is missing in its configuration. No evidence comes of these.",
        unit: "reqps",
        queries: [[rate("variant", METRICS.clusterMissing), "{{variant}}"]],
        span: 6,
      }).min(0),
    ],
  };
}
