import type { MetricData } from "@opentelemetry/sdk-metrics";
import { DECISION_BOUNDS_MS, DELAY_BOUNDS_MS, LAG_BOUNDS_MS } from "../contract/histogram-bounds.ts";
import { METRICS } from "../contract/names.ts";
import { emptyDistribution, measure } from "../io/distribution.ts";
import { distributionMetric, type Span } from "../io/metric-points.ts";

const LOOK_MS = 100;

/** How long things take that a sidecar does by itself. */
export interface OwnTimes {
  /** From a request's headers to their answer. */
  decisionTook(ms: number): void;
  /** A rule set took force that was published then, Unix milliseconds. */
  rulesInForce(publishedAtMs: number): void;
  /** Looks how late timers come. Returns the way to stop. */
  watchLoop(): () => void;
  metrics(span: Span): MetricData[];
}

/** Begins with nothing measured. */
export function createOwnTimes(nowMs: () => number): OwnTimes {
  const decisions = emptyDistribution(DECISION_BOUNDS_MS);
  const delays = emptyDistribution(DELAY_BOUNDS_MS);
  const lags = emptyDistribution(LAG_BOUNDS_MS);
  const startedAtMs = nowMs();
  return {
    decisionTook: (ms) => measure(decisions, ms),
    rulesInForce(publishedAtMs) {
      // What was published before this process began says how old the rules are, and not how late.
      if (publishedAtMs >= startedAtMs) measure(lags, Math.max(0, nowMs() - publishedAtMs));
    },
    watchLoop() {
      let dueMs = performance.now() + LOOK_MS;
      const timer = setInterval(() => {
        const atMs = performance.now();
        measure(delays, Math.max(0, atMs - dueMs));
        dueMs = atMs + LOOK_MS;
      }, LOOK_MS);
      timer.unref();
      return () => clearInterval(timer);
    },
    metrics: (span) => [
      distributionMetric(METRICS.decisionDuration, decisions, span),
      distributionMetric(METRICS.eventLoopDelay, delays, span),
      distributionMetric(METRICS.rulesLag, lags, span),
    ],
  };
}
