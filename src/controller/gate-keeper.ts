import { stagesOf } from "../contract/course.ts";
import type { Gate } from "../contract/gates.ts";
import type { Rollout } from "../contract/rollout.ts";
import { readWebhook } from "./checks/round.ts";
import { type CheckSources, checkSources } from "./checks/sources.ts";
import type { WebhookAnswer } from "./checks/webhook.ts";
import type { TermParts } from "./ports.ts";
import type { Seat } from "./seats.ts";

type Waiting = Pick<Seat, "name" | "rollout" | "live">;

/** Questions under way at once over all rollouts; others wait for the next tick. */
const MAX_BUSY = 32;

/** The gate's webhook that a rollout waits for; undefined where it waits for none. */
function webhookOf({ strategy, promotion }: Rollout, { plan }: Waiting["live"]): Gate["webhook"] {
  if (plan.phase !== "gate") return undefined;
  const stage = "stage" in plan.from ? stagesOf(strategy)[plan.from.stage] : undefined;
  return { stage: stage?.gate, promotion: promotion?.gate, mode: undefined }[plan.gate]?.webhook;
}

/** Asks the webhooks of gates at which rollouts wait, beside the queue of the leader. What was asked is not handed down: the next leader asks again. */
export class GateKeeper {
  readonly #parts: TermParts;
  readonly #sources: CheckSources;
  readonly #onAnswer: (rollout: string, run: number, answer: WebhookAnswer) => void;
  readonly #dueMs = new Map<string, number>();
  readonly #jobs = new Map<string, Promise<void>>();
  readonly #ending = new AbortController();

  /** `onAnswer` is told what a webhook said of a rollout in this run. */
  constructor(parts: TermParts, onAnswer: (rollout: string, run: number, answer: WebhookAnswer) => void) {
    this.#parts = parts;
    this.#sources = checkSources(parts.settings);
    this.#onAnswer = onAnswer;
  }

  /** Asks what is due. */
  tick(rollouts: Iterable<Waiting>): void {
    const waiting = new Map([...rollouts].filter(({ rollout, live }) => webhookOf(rollout, live)).map((each) => [each.name, each]));
    for (const name of this.#dueMs.keys()) if (!waiting.has(name)) this.#dueMs.delete(name);
    const nowMs = this.#parts.clock.monotonicMs();
    for (const each of waiting.values()) {
      if (this.#jobs.size >= MAX_BUSY) return;
      if (!this.#jobs.has(each.name) && (this.#dueMs.get(each.name) ?? 0) <= nowMs) this.#start(each, nowMs);
    }
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#jobs.values());
  }

  #start({ name, rollout, live }: Waiting, nowMs: number): void {
    const webhook = webhookOf(rollout, live);
    if (webhook === undefined) return;
    this.#dueMs.set(name, nowMs + webhook.every);
    const asked = { rollout, live, atMs: this.#parts.clock.nowMs(), signal: this.#ending.signal };
    const job = readWebhook({ name: "gate", webhook }, asked, this.#sources).then((answer) => {
      this.#jobs.delete(name);
      if (!this.#ending.signal.aborted) this.#onAnswer(name, live.plan.run, answer);
    });
    this.#jobs.set(name, job);
  }
}
