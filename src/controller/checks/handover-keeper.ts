import type { LiveState } from "../../contract/live.ts";
import type { Rollout } from "../../contract/rollout.ts";
import type { TermParts } from "../ports.ts";
import { askStable, type Seen } from "./handover-evidence.ts";
import { type CheckSources, checkSources } from "./sources.ts";

/** A rollout that may wait for evidence. */
export interface Promoted {
  readonly name: string;
  readonly rollout: Pick<Rollout, "handover" | "kubernetes">;
  readonly live: Pick<LiveState, "plan">;
}

interface Held {
  readonly run: number;
  /** Monotonic. */
  dueMs: number;
  isBusy: boolean;
  /** Answers in a row that showed the new version. */
  shown: number;
}

/** What was found: whether the hand-over may be, and what was seen, for people. */
export type OnSeen = (rollout: string, found: Readonly<{ run: number; isProven: boolean; text: string }>) => void;

const MAX_BUSY = 32;

/**
 * Asks endpoints or Kubernetes of promoted rollouts whether stable runs the new version, beside the leader's queue. Answers in a row are not handed
 * down: the next leader counts anew.
 */
export class HandoverKeeper {
  readonly #parts: TermParts;
  readonly #sources: CheckSources;
  readonly #onSeen: OnSeen;
  readonly #held = new Map<string, Held>();
  readonly #ending = new AbortController();
  readonly #jobs = new Set<Promise<void>>();

  constructor(parts: TermParts, onSeen: OnSeen) {
    this.#parts = parts;
    this.#sources = checkSources(parts.settings);
    this.#onSeen = onSeen;
  }

  /** Asks what is due. */
  tick(rollouts: Iterable<Promoted>): void {
    const waiting = [...rollouts].filter(({ rollout, live }) => rollout.handover?.when !== undefined && live.plan.phase === "promoted");
    const names = new Set(waiting.map(({ name }) => name));
    for (const name of this.#held.keys()) if (!names.has(name)) this.#held.delete(name);
    for (const promoted of waiting) this.#ask(promoted);
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#jobs);
  }

  #ask({ name, rollout, live: { plan } }: Promoted): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const known = this.#held.get(name);
    const held = known?.run === plan.run ? known : { run: plan.run, dueMs: nowMs, isBusy: false, shown: 0 };
    this.#held.set(name, held);
    const { when } = rollout.handover ?? {};
    if (when === undefined || held.isBusy || held.dueMs > nowMs || this.#jobs.size >= MAX_BUSY || this.#ending.signal.aborted) return;
    held.isBusy = true;
    held.dueMs = nowMs + when.every;
    const from = { rule: rollout.kubernetes, sources: this.#sources, kubernetes: this.#parts.kubernetes };
    const job = askStable(when, from, this.#ending.signal).then((seen) => {
      held.isBusy = false;
      this.#jobs.delete(job);
      this.#take(name, held, { seen, times: when.times });
    });
    this.#jobs.add(job);
  }

  #take(name: string, held: Held, { seen, times }: Readonly<{ seen: Seen; times: number }>): void {
    if (this.#ending.signal.aborted || this.#held.get(name) !== held) return;
    held.shown = seen.isShown ? held.shown + 1 : 0;
    const isProven = held.shown >= times;
    const text = seen.isShown && !isProven ? `${seen.text}, ${held.shown} of ${times} times` : seen.text;
    this.#onSeen(name, { run: held.run, isProven, text });
  }
}
