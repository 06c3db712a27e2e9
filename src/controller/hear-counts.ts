import { SUBJECTS } from "../contract/names.ts";
import type { Logger } from "../io/log.ts";
import { type NatsLink, subscribeSafely } from "../io/nats.ts";
import { createPrometheusApi } from "../io/prometheus-api.ts";
import type { Incoming } from "./incoming.ts";
import type { ControllerSettings } from "./options.ts";
import { PrometheusSource } from "./prometheus-source.ts";
import type { Term } from "./term.ts";

interface Parts {
  /** What sidecars count comes by this one. */
  readonly told: NatsLink;
  readonly log: Logger;
  readonly settings: Pick<ControllerSettings, "prometheus" | "prometheusEveryMs">;
}

type Hearer = Pick<Term, "onEvidence" | "onFailingUsers"> & Readonly<{ mix: Pick<Term["mix"], "hear"> }>;

/** Longest wait for Prometheus where it is asked more often. */
const PROMETHEUS_MS = 2_000;

/**
 * Hears what sidecars count. They learn of a new term by its lease, tell all anew, and after that only what changes: so this is for before the term
 * has begun, and what comes waits, in its order, until it has. Returns the way to stop.
 */
export function hearCounts(term: Hearer, { told, log, settings }: Parts, begun: Promise<void>): () => void {
  const hear = (subject: string, what: string, take: (message: Incoming) => void): (() => void) => {
    const bad = (error: unknown): void => log.warn({ err: error }, `${what} that cannot be read`);
    const later = (message: Incoming): void => {
      // Of a term that could not begin nobody wants to hear more.
      void begun
        .then(
          () => take(message),
          () => undefined,
        )
        .catch(bad);
    };
    return subscribeSafely(told, subject, later, bad);
  };
  const stops = [
    hear(SUBJECTS.allFailing, "word of failing users", (message) => term.onFailingUsers(message)),
    hear(SUBJECTS.allMix, "word of the mix of users", ({ data }) => term.mix.hear(data)),
  ];
  // From one source only: what both told would count twice.
  if (settings.prometheus === undefined) stops.push(hear(SUBJECTS.allEvidence, "evidence", (message) => term.onEvidence(message)));
  return () => {
    for (const stop of stops) stop();
  };
}

/** Asks Prometheus for evidence, where that is its source. Returns the way to stop. */
export function askPrometheus(term: Term, { log, settings }: Parts): () => void {
  const { prometheus: url, prometheusEveryMs: everyMs } = settings;
  if (url === undefined) return () => undefined;
  const api = createPrometheusApi({ url, timeoutMs: Math.max(everyMs, PROMETHEUS_MS) });
  const source = new PrometheusSource({ api, everyMs, log, rollouts: () => term.rollouts, heard: (reports) => term.onReports(reports) });
  return () => source.stop();
}
