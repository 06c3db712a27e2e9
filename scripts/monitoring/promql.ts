import { METRICS, SHADOW_VARIANTS, STABLE } from "../../src/contract/names.ts";

/** What Envoy says of itself at `/stats/prometheus`. */
export const ENVOY_METRICS = {
  streamsStarted: "envoy_http_ext_proc_streams_started",
  streamsFailed: "envoy_http_ext_proc_streams_failed",
  messageTimeouts: "envoy_http_ext_proc_message_timeouts",
  failedOpen: "envoy_http_ext_proc_failure_mode_allowed",
  mutationsRejected: "envoy_http_ext_proc_rejected_header_mutations",
  spuriousMessages: "envoy_http_ext_proc_spurious_msgs_received",
  daysOfCertificate: "envoy_server_days_until_first_cert_expiring",
} as const;

/** A metric of Serin or of Envoy. */
export type Metric = (typeof METRICS)[keyof typeof METRICS] | (typeof ENVOY_METRICS)[keyof typeof ENVOY_METRICS];
type Part = "" | "_bucket" | "_count" | "_sum";

/** A selector of series; `matchers` are joined by commas, empty ones left out. */
export const series = (metric: Metric, matchers: readonly string[] = [], part: Part = ""): string => {
  const said = matchers.filter((matcher) => matcher !== "").join(",");
  return said === "" ? metric + part : `${metric}${part}{${said}}`;
};

/** Variants that users get beside stable, whatever they are called. */
export const BESIDE_STABLE = `variant!~"${[STABLE, ...SHADOW_VARIANTS].join("|")}"`;

/** `max by (labels) (…)`: of two controllers that both lead for a moment, one line. */
export const maxBy = (labels: string, of: string): string => `max by (${labels}) (${of})`;

export const sumBy = (labels: string, of: string): string => (labels === "" ? `sum(${of})` : `sum by (${labels}) (${of})`);

/** Drops NaN, which an idle system makes of every quotient. */
export const known = (expr: string): string => `(${expr}) >= 0`;

/** A part of a whole, 0 where the part has no series yet; nothing while there is no whole. */
export const ratio = (part: string, whole: string): string => known(`(${part} or 0 * ${whole}) / ${whole}`);

/** A quantile of histograms whose buckets have been summed by `le` and what else is kept. */
export const quantile = (q: number, buckets: string): string => known(`histogram_quantile(${q}, ${buckets})`);
