import type { MetricData } from "@opentelemetry/sdk-metrics";
import { METRICS } from "../contract/names.ts";
import { emptyDistribution, measure } from "../io/distribution.ts";
import { distributionMetric, type Span } from "../io/metric-points.ts";

const DECISION_BOUNDS_MS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100] as const;
const DELAY_BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000] as const;
const LAG_BOUNDS_MS = [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000] as const;

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
