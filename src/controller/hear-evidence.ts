import { SUBJECTS } from "../contract/names.ts";
import type { Logger } from "../io/log.ts";
import { type NatsLink, subscribeSafely } from "../io/nats.ts";
import { createPrometheusApi } from "../io/prometheus-api.ts";
import type { ControllerSettings } from "./options.ts";
import { PrometheusSource } from "./prometheus-source.ts";
import type { Term } from "./term.ts";

interface Parts {
  /** What sidecars count comes by this one. */
  readonly told: NatsLink;
  readonly log: Logger;
  readonly settings: ControllerSettings;
}

/** Longest wait for Prometheus where it is asked more often. */
const PROMETHEUS_MS = 2_000;

/** Hears evidence from one source only: what both told would count twice. Returns the way to stop. */
export function hearEvidence(term: Term, { told, log, settings }: Parts, onError: (error: unknown) => void): () => void {
  const { prometheus: url, prometheusEveryMs: everyMs } = settings;
  if (url === undefined) return subscribeSafely(told, SUBJECTS.allEvidence, (message) => term.onEvidence(message), onError);
  const api = createPrometheusApi({ url, timeoutMs: Math.max(everyMs, PROMETHEUS_MS) });
  const source = new PrometheusSource({ api, everyMs, log, rollouts: () => term.rollouts, heard: (reports) => term.onReports(reports) });
  return () => source.stop();
}
