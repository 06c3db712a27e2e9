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

/** Hears what sidecars count, for a term that is yet to begin. */
export interface CountsEar {
  /** Resolves when the server hands on what sidecars say from then on. */
  open(): Promise<void>;
  /** What came and comes is for this term, in its order, once that has begun. */
  tell(term: Hearer, begun: Promise<void>): void;
  /** Hears no more; what nobody was told is dropped. */
  close(): void;
}

/**
 * Sidecars learn of a new term by its lease, tell all anew at once, and after that only what changes: so this is opened before the lease is
 * taken.
 */
export function createCountsEar({ told, log, settings }: Parts): CountsEar {
  let stops: (() => void)[] = [];
  let hearer: Promise<Hearer> | undefined;
  let tell: CountsEar["tell"] = () => undefined;
  const hear = (subject: string, what: string, take: (term: Hearer, message: Incoming) => void): (() => void) => {
    const bad = (error: unknown): void => log.warn({ err: error }, `${what} that cannot be read`);
    return subscribeSafely(told, subject, (message) => void hearer?.then((term) => take(term, message)).catch(bad), bad);
  };
  return {
    open() {
      hearer = new Promise((resolve) => {
        // Of a term that could not begin nobody wants to hear more.
        tell = (term, begun) =>
          void begun.then(
            () => resolve(term),
            () => undefined,
          );
      });
      stops = [
        hear(SUBJECTS.allFailing, "word of failing users", (term, message) => term.onFailingUsers(message)),
        hear(SUBJECTS.allMix, "word of the mix of users", (term, { data }) => term.mix.hear(data)),
      ];
      // From one source only: what both told would count twice.
      if (settings.prometheus === undefined)
        stops.push(hear(SUBJECTS.allEvidence, "evidence", (term, message) => term.onEvidence(message)));
      return told.connection.flush();
    },
    tell: (term, begun) => tell(term, begun),
    close() {
      for (const stop of stops) stop();
      stops = [];
    },
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
