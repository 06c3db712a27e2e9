import { variantsBeside } from "../../contract/lanes.ts";
import { STABLE } from "../../contract/names.ts";
import type { WebhookCheck } from "../../contract/own-checks.ts";
import { gaugesIn, type NamedGauge } from "../../core/judge/own-policy.ts";
import type { TermParts } from "../ports.ts";
import { type CounterReading, countsSince } from "./counter-readings.ts";
import { FeedbackKeeper } from "./feedback-keeper.ts";
import {
  addCounts,
  addHit,
  addSampleTo,
  addToVariant,
  begun,
  type Checked,
  findingsOf,
  type Held,
  isAsked,
  isCounted,
  isWebhook,
  UNREAD,
} from "./held-checks.ts";
import type { OwnNews } from "./own-evidence.ts";
import { type Asked, type Read, readCounters, readGauge, readWebhook } from "./round.ts";
import { type CheckSources, checkSources } from "./sources.ts";

/** Rounds of queries and questions to webhooks under way at once over all rollouts; others wait for the next tick. */
const MAX_BUSY = 32;
/** Counters of a live rollout that stand still for so long are not read, whoever answers for them. */
const STILL_MS = 300_000;
/** The name of the round of queries among what is asked; no check can have it. */
const QUERIES = "";

/** One round of queries, or one question to a webhook. */
interface Round {
  readonly held: Held;
  readonly checked: Checked;
  readonly key: string;
  readonly everyMs: number;
  /** Monotonic. */
  readonly dueMs: number;
  readonly check?: WebhookCheck;
}

/**
 * Reads the own checks of live rollouts, beside the queue in which the leader judges, so that nothing waits for them. Where counters stood
 * is not handed down: the next leader begins to count at its first reading, and nothing is counted twice.
 */
export class CheckKeeper {
  /** What users say of rollouts. */
  readonly feedback: FeedbackKeeper;
  readonly #parts: TermParts;
  readonly #sources: CheckSources;
  readonly #onNews: (rollout: string) => void;
  readonly #held = new Map<string, Held>();
  readonly #ending = new AbortController();
  readonly #jobs = new Set<Promise<void>>();

  /** `onNews` is told when a rollout has something to judge. */
  constructor(parts: TermParts, onNews: (rollout: string) => void) {
    this.#parts = parts;
    this.feedback = new FeedbackKeeper(parts, (checked, check, variant) => this.#hit(checked, check, variant));
    this.#sources = checkSources(parts.settings);
    this.#onNews = onNews;
  }

  /** Asks what is due. */
  tick(rollouts: Iterable<Checked>): void {
    const asked = new Map([...rollouts].filter(isAsked).map((checked) => [checked.name, checked]));
    for (const name of this.#held.keys()) if (!asked.has(name)) this.#held.delete(name);
    // Who waits longest comes first: servers that do not answer must not keep other rollouts' from being asked.
    const due = [...asked.values()].flatMap((checked) => this.#rounds(checked)).toSorted((a, b) => a.dueMs - b.dueMs);
    for (const round of due) this.#start(round);
  }

  /** What is asked of a rollout, and since when it is due. */
  #rounds(checked: Checked): Round[] {
    const held = this.#heldOf(checked);
    const { checks } = checked.rollout;
    const webhooks = (checks.own ?? []).filter(isWebhook).map((check) => ({ key: check.name, everyMs: check.webhook.every, check }));
    const hasQueries = gaugesIn(checks).length > 0 || (checks.own ?? []).some(isCounted);
    const rounds = hasQueries ? [{ key: QUERIES, everyMs: this.#parts.settings.checkMs }, ...webhooks] : webhooks;
    return rounds.map((round) => ({ ...round, held, checked, dueMs: held.dueMs.get(round.key) ?? 0 }));
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#jobs);
  }

  /** Whether there is anything to judge. */
  hasNews(rollout: string): boolean {
    return this.#held.get(rollout)?.isNew === true;
  }

  /** Counts an event of a user of one variant. */
  #hit(checked: Checked, check: string, variant: string): void {
    if (!isAsked(checked)) return;
    const held = this.#heldOf(checked);
    addHit(held, check, variant);
    this.#tell(held);
  }

  /** What was found since it was last taken; undefined of a rollout that asks nothing of its own. */
  take(checked: Checked): OwnNews | undefined {
    if (!isAsked(checked)) return undefined;
    const held = this.#heldOf(checked);
    const { news, isNew } = held;
    Object.assign(held, { news: { counts: {}, samples: {}, hits: {}, variants: {} }, isNew: false });
    return { isNew, ...news, findings: findingsOf(held) };
  }

  #heldOf({ name, rollout, live }: Checked): Held {
    const before = this.#held.get(name);
    if (before !== undefined && before.firstRun === live.plan.firstRun && before.rollout === rollout) return before;
    const held = begun(rollout, live.plan.firstRun);
    this.#held.set(name, held);
    return held;
  }

  #start({ held, checked: { rollout, live }, key, everyMs, dueMs, check }: Round): void {
    const { clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (held.busy.has(key) || dueMs > nowMs || this.#jobs.size >= MAX_BUSY || this.#ending.signal.aborted) return;
    held.dueMs.set(key, nowMs + everyMs);
    held.busy.add(key);
    const asked: Asked = { rollout, live, atMs: clock.nowMs(), signal: this.#ending.signal };
    const job = (check === undefined ? this.#queries(held, asked) : this.#webhook(held, check, asked)).then(() => {
      held.busy.delete(key);
      this.#jobs.delete(job);
    });
    this.#jobs.add(job);
  }

  async #queries(held: Held, asked: Asked): Promise<void> {
    const { checks } = held.rollout;
    await Promise.all([
      ...(checks.own ?? [])
        .filter(isCounted)
        .map(async (check) => this.#counted(held, check.name, await readCounters(check, asked, this.#sources))),
      ...gaugesIn(checks).map(async (gauge) => this.#sampled(held, gauge, asked)),
    ]);
    this.#tell(held);
  }

  async #webhook(held: Held, check: WebhookCheck, asked: Asked): Promise<void> {
    const answer = await readWebhook(check, asked, this.#sources);
    held.answers.set(check.name, answer);
    this.#problem(held, check.name, answer.verdict === "unknown" ? answer.reason : undefined);
    this.#tell(held);
  }

  /** Of an attempt that is over nothing is judged any more. */
  #tell(held: Held): void {
    const { name } = held.rollout;
    if (this.#held.get(name) !== held || this.#ending.signal.aborted) return;
    held.isNew = true;
    this.#onNews(name);
  }

  #counted(held: Held, name: string, read: Read<CounterReading>): void {
    if ("problem" in read) return this.#problem(held, name, read.problem);
    const { from, counts, beside = [], problem } = countsSince(held.counters.get(name), read.value);
    if (from !== undefined) held.counters.set(name, from);
    const nowMs = this.#parts.clock.monotonicMs();
    const grownMs = held.grownMs.get(name) ?? nowMs;
    held.grownMs.set(name, counts !== undefined && counts.canary > 0 && counts.stable > 0 ? nowMs : grownMs);
    if (counts !== undefined) {
      addCounts(held, name, counts);
      addToVariant(held, { check: name, variant: STABLE }, { hits: counts.stableHits, all: counts.stable });
      const others = variantsBeside(held.rollout.variants);
      for (const [index, variant] of others.entries()) addToVariant(held, { check: name, variant }, beside[index] ?? { hits: 0, all: 0 });
    }
    const still = nowMs - grownMs > STILL_MS ? `nothing was counted on both sides for ${STILL_MS / 60_000} minutes` : undefined;
    this.#problem(held, name, problem ?? still);
  }

  async #sampled(held: Held, gauge: NamedGauge, asked: Asked): Promise<void> {
    const read = await readGauge(gauge, asked, this.#sources);
    if ("value" in read) addSampleTo(held, gauge.name, read.value);
    this.#problem(held, gauge.name, "value" in read ? undefined : read.problem);
  }

  /** Said when it begins and when it ends, not each time. */
  #problem({ rollout, problems }: Held, check: string, problem: string | undefined): void {
    const before = problems.get(check);
    const wasSaid = before !== undefined && before !== UNREAD;
    if (problem === undefined) problems.delete(check);
    else problems.set(check, problem);
    if (problem === undefined && wasSaid) this.#parts.log.info({ rollout: rollout.name, check }, "own check can be read again");
    if (problem !== undefined && !wasSaid)
      this.#parts.log.warn({ rollout: rollout.name, check, problem }, "own check cannot be read, so it is unknown");
  }
}
