import { JsonMetricsSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { RESOURCE } from "../contract/evidence.ts";
import { SUBJECTS } from "../contract/names.ts";
import type { Clock } from "../io/clock.ts";
import type { Logger } from "../io/log.ts";
import type { NatsLink } from "../io/nats.ts";
import type { Cell, Cells } from "./cells.ts";
import { type CurrentRules, hasRollout, isLive } from "./current-rules.ts";
import { cellMetrics } from "./metric-data.ts";

/** A failure is told at once, but messages stay this far apart. */
const AT_LEAST_MS = 100;
const LIVE_MS = 1_000;
const IDLE_MS = 4_000;
const JITTER_MS = 1_000;

/** Cells in one message, at most about 3 KB each: NATS takes 1 MiB. */
const CELLS_A_MESSAGE = 200;

interface Parts {
  readonly id: string;
  readonly link: NatsLink;
  readonly rules: CurrentRules;
  readonly cells: Cells;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface EvidenceSender {
  /** A request of this rollout failed on the canary: while it has users, the controller should know now. */
  urgent(rollout: string): void;
  /** Sends everything anew with the next message: what was sent before may be lost. */
  resend(): void;
  /** Sends what is left. */
  stop(): void;
}

/** Sends what was counted as cumulative OTLP metrics, changed series only, so that a lost message costs nothing. */
export function startEvidence({ id, link, rules, cells, clock, log }: Parts): EvidenceSender {
  let sent = new WeakMap<Cell, number>();
  let sequence = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let isUrgent = false;
  const publish = (changed: readonly Cell[]): void => {
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
  };
  const send = (): void => {
    isUrgent = false;
    lastMs = clock.monotonicMs();
    try {
      const changed = link.connection.isClosed() ? [] : cells.all().filter((cell) => sent.get(cell) !== cell.version);
      for (let from = 0; from < changed.length; from += CELLS_A_MESSAGE) publish(changed.slice(from, from + CELLS_A_MESSAGE));
    } catch (error) {
      // What was not sent counts as changed still.
      log.error({ error }, "evidence could not be sent, the next message holds it");
    }
    const isJudged = hasRollout(rules.compiled(), isLive);
    schedule((isJudged ? LIVE_MS : IDLE_MS) + JITTER_MS * Math.random());
  };
  const schedule = (delayMs: number): void => {
    clearTimeout(timer);
    timer = setTimeout(send, delayMs);
    timer.unref();
  };
  schedule(LIVE_MS);
  return {
    urgent(rollout) {
      if (isUrgent || !isLive(rules.compiled().rollouts.get(rollout))) return;
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
