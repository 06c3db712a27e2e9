import { JsonMetricsSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { RESOURCE } from "../contract/evidence.ts";
import { SUBJECTS } from "../contract/names.ts";
import type { Clock } from "../io/clock.ts";
import type { Logger } from "../io/log.ts";
import type { NatsLink } from "../io/nats.ts";
import type { Slices } from "../io/slices.ts";
import type { Cell } from "./cell.ts";
import type { Cells } from "./cells.ts";
import type { CurrentRules } from "./current-rules.ts";
import { evidenceMetrics } from "./metric-data.ts";

/** Cells in one message, which is made in one go: about 50 µs and at most 5 KB each. */
const CELLS_A_MESSAGE = 50;

/** Cells looked at in one go. */
const CELLS_A_STEP = 1_000;

export interface EvidenceParts {
  readonly id: string;
  readonly link: NatsLink;
  readonly rules: CurrentRules;
  readonly cells: Cells;
  readonly clock: Clock;
  readonly log: Logger;
  readonly slices: Slices;
  /** What must be told of these rollouts before their evidence. */
  beforehand?(rollouts: Iterable<string>): void;
}

/** Walks over cells that send what changed in them since it was sent last. */
export interface EvidenceRounds {
  /** Does not reject: what could not be sent counts as changed still. */
  tell(cells: Iterable<Cell>): Promise<void>;
  /** Makes all count as changed. */
  resend(): void;
  /** Resolves when no walk is under way. */
  ended(): Promise<unknown>;
}

/**
 * A message is made and sent in one go, with the counts of that moment; between two of them requests are answered, and other walks
 * go on. So messages stand in their sequence, and no change is told twice, however walks overtake each other.
 */
export function createEvidenceRounds({ id, link, rules, clock, log, slices, beforehand }: EvidenceParts): EvidenceRounds {
  let sent = new WeakMap<Cell, number>();
  let sequence = 0;
  const underWay = new Set<Promise<void>>();
  const publish = (changed: readonly Cell[]): void => {
    if (changed.length === 0) return;
    sequence += 1;
    const { epoch, revision } = rules.ruleSet();
    const resource = resourceFromAttributes({
      [RESOURCE.instance]: id,
      [RESOURCE.sequence]: sequence,
      [RESOURCE.revision]: `${epoch}.${revision}`,
    });
    const metrics = evidenceMetrics(changed, clock.nowMs()).filter(({ dataPoints }) => dataPoints.length > 0);
    const message = JsonMetricsSerializer.serializeRequest({ resource, scopeMetrics: [{ scope: { name: "serin" }, metrics }] });
    beforehand?.(new Set(changed.map(({ labels }) => labels.rollout)));
    if (message !== undefined) link.connection.publish(SUBJECTS.evidence(id), message);
    for (const cell of changed) sent.set(cell, cell.version);
  };
  const walk = async (cells: Iterable<Cell>): Promise<void> => {
    let changed: Cell[] = [];
    let seen = 0;
    for (const cell of cells) {
      if (link.connection.isClosed()) return;
      seen += 1;
      if (sent.get(cell) !== cell.version) changed.push(cell);
      if (changed.length < CELLS_A_MESSAGE && seen < CELLS_A_STEP) continue;
      // Nothing is held over a pause: another walk may tell it meanwhile, or it may change.
      publish(changed);
      changed = [];
      seen = 0;
      await slices();
    }
    publish(changed);
  };
  return {
    async tell(cells) {
      const told = walk(cells).catch((error: unknown) => {
        log.error({ error }, "evidence could not be sent, the next message holds it");
      });
      underWay.add(told);
      await told;
      underWay.delete(told);
    },
    resend() {
      sent = new WeakMap();
    },
    ended: () => Promise.all(underWay),
  };
}
