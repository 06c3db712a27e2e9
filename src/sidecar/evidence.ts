import { JsonMetricsSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { RESOURCE } from "../contract/evidence.ts";
import { SUBJECTS } from "../contract/names.ts";
import type { Clock } from "../io/clock.ts";
import type { NatsLink } from "../io/nats.ts";
import type { Cell, Cells } from "./cells.ts";
import { type CurrentRules, hasLiveCanary } from "./current-rules.ts";
import { cellMetrics } from "./metric-data.ts";

/** A failure is told at once, but messages stay this far apart. */
const AT_LEAST_MS = 100;
const LIVE_MS = 1_000;
const IDLE_MS = 5_000;

interface Parts {
  readonly id: string;
  readonly link: NatsLink;
  readonly rules: CurrentRules;
  readonly cells: Cells;
  readonly clock: Clock;
}

export interface EvidenceSender {
  /** A request failed on a live canary: the controller should know now. */
  urgent(): void;
  /** Sends everything anew with the next message: what was sent before may be lost. */
  resend(): void;
  /** Sends what is left. */
  stop(): void;
}

/** Sends what was counted as cumulative OTLP metrics, changed series only, so that a lost message costs nothing. */
export function startEvidence({ id, link, rules, cells, clock }: Parts): EvidenceSender {
  let sent = new WeakMap<Cell, number>();
  let sequence = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let isUrgent = false;
  const send = (): void => {
    isUrgent = false;
    lastMs = clock.monotonicMs();
    const changed = cells.all().filter((cell) => sent.get(cell) !== cell.version);
    if (changed.length > 0 && !link.connection.isClosed()) {
      sequence += 1;
      const { epoch, revision } = rules.ruleSet();
      const resource = resourceFromAttributes({
        [RESOURCE.instance]: id,
        [RESOURCE.sequence]: sequence,
        [RESOURCE.revision]: `${epoch}.${revision}`,
      });
      const metrics = cellMetrics(changed, clock.nowMs()).filter(({ dataPoints }) => dataPoints.length > 0);
      const message = JsonMetricsSerializer.serializeRequest({ resource, scopeMetrics: [{ scope: { name: "serin" }, metrics }] });
      if (message !== undefined) link.connection.publish(SUBJECTS.evidence(id), message);
      for (const cell of changed) sent.set(cell, cell.version);
    }
    schedule((hasLiveCanary(rules.ruleSet()) ? LIVE_MS : IDLE_MS) * (0.9 + 0.2 * Math.random()));
  };
  const schedule = (delayMs: number): void => {
    clearTimeout(timer);
    timer = setTimeout(send, delayMs);
    timer.unref();
  };
  schedule(LIVE_MS);
  return {
    urgent() {
      if (isUrgent) return;
      isUrgent = true;
      schedule(Math.max(0, lastMs + AT_LEAST_MS - clock.monotonicMs()));
    },
    resend() {
      sent = new WeakMap();
    },
    stop() {
      send();
      clearTimeout(timer);
    },
  };
}
