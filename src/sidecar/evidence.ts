import type { Cell } from "./cell.ts";
import type { Cells } from "./cells.ts";
import { isLive } from "./current-rules.ts";
import { createEvidenceRounds, type EvidenceParts } from "./evidence-rounds.ts";
import { jittered, LIVE_MS, tellingPauseMs } from "./telling-pace.ts";

/** A failure is told at once, but what is told for failures stays this far apart. */
const AT_LEAST_MS = 100;

export interface EvidenceSender {
  /** A request of this rollout failed on the canary: while it has users, the controller should know now. */
  urgent(rollout: string): void;
  /** Sends everything anew with the next messages: what was sent before may be lost. */
  resend(): void;
  /** Sends what is left. */
  stop(): Promise<void>;
}

/**
 * Sends what was counted as cumulative OTLP metrics, changed series only, so that a lost message costs nothing. What is urgent has a
 * walk of its own over the rollouts that it is about, and overtakes one that is under way.
 */
export function startEvidence(parts: EvidenceParts): EvidenceSender {
  const { rules, cells, clock } = parts;
  const rounds = createEvidenceRounds(parts);
  let timer: NodeJS.Timeout | undefined;
  let urgent = new Set<string>();
  let urgentTimer: NodeJS.Timeout | undefined;
  let urgentMs = Number.NEGATIVE_INFINITY;
  const round = async (): Promise<void> => {
    await rounds.tell(cells.all());
    if (timer !== undefined) schedule(jittered(tellingPauseMs(rules)));
  };
  const schedule = (delayMs: number): void => {
    timer = setTimeout(() => void round(), delayMs);
    timer.unref();
  };
  const tellUrgent = (): void => {
    const rollouts = urgent;
    urgent = new Set();
    urgentTimer = undefined;
    urgentMs = clock.monotonicMs();
    void rounds.tell(cellsOf(rollouts, cells));
  };
  schedule(LIVE_MS);
  return {
    urgent(rollout) {
      if (!isLive(rules.compiled().rollouts.get(rollout))) return;
      urgent.add(rollout);
      if (urgentTimer !== undefined) return;
      urgentTimer = setTimeout(tellUrgent, Math.max(0, urgentMs + AT_LEAST_MS - clock.monotonicMs()));
      urgentTimer.unref();
    },
    resend: rounds.resend,
    async stop() {
      clearTimeout(timer);
      clearTimeout(urgentTimer);
      timer = undefined;
      // The last walk begins behind those under way: when it ends, nothing is left.
      await rounds.ended();
      await rounds.tell(cells.all());
    },
  };
}

function* cellsOf(rollouts: Iterable<string>, cells: Cells): Generator<Cell> {
  for (const rollout of rollouts) yield* cells.of(rollout);
}
