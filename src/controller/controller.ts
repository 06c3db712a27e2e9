import type { JetStreamManager } from "@nats-io/jetstream";
import { SUBJECTS } from "../contract/names.ts";
import type { Clock } from "../io/clock.ts";
import { createConnectionStanding } from "../io/connection-standing.ts";
import { type OperatorKeys, readOperatorKeys } from "../io/kill-signatures.ts";
import { readKills } from "../io/kill-store.ts";
import { createKillSwitch, type KillSwitch } from "../io/kill-switch.ts";
import type { Logger } from "../io/log.ts";
import { ensureStreams, ensureTicks, type NatsLink, subscribeSafely } from "../io/nats.ts";
import { checkSecretFolder } from "../io/secret-folder.ts";
import { openTokens, type TokenBook } from "../io/tokens.ts";
import { aborted, Candidate, pause, releaseLease } from "./candidate.ts";
import type { FeedbackPorts } from "./checks/feedback-http.ts";
import { feedbackPorts } from "./checks/feedback-ports.ts";
import type { DeposedError, FencedWriter } from "./fenced-writer.ts";
import { askPrometheus, type CountsEar, createCountsEar } from "./hear-counts.ts";
import { killQuestions } from "./kill-questions.ts";
import type { Kubernetes } from "./kubernetes/kubernetes.ts";
import { eventTeller, openKubernetes } from "./kubernetes/open.ts";
import { auditPort, documentPorts, statePort, tickPort } from "./nats-ports.ts";
import { startNotifier } from "./notify/notifier.ts";
import { type ControllerOptions, ControllerOptionsSchema, type ControllerSettings } from "./options.ts";
import { type Page, type Shown, startPage } from "./page.ts";
import { hearGoodbyes } from "./presence.ts";
import { reachNats } from "./reach-nats.ts";
import { replicationOf } from "./replication.ts";
import { hearCommand } from "./senders.ts";
import { Term } from "./term.ts";

export interface ControllerParts {
  readonly log: Logger;
  readonly clock: Clock;
}

interface StartParts extends ControllerParts {
  /** Ends the wait for NATS. */
  readonly signal?: AbortSignal;
}

export interface RunningController {
  /** True while this controller leads and its lease surely holds. */
  isLeader(): boolean;
  /** `http://host:port` of health and metrics; undefined when not asked for. */
  readonly httpUrl: string | undefined;
  /** Gives the lease back when it leads, and closes everything. */
  stop(): Promise<void>;
}

/**
 * Starts one controller; it resolves once NATS was reached and leads or stands by from then on. Health and metrics are there before.
 * Throws on options that make no sense, and an AbortError when the signal comes before NATS answers.
 */
export async function startController(options: ControllerOptions, { signal, ...parts }: StartParts): Promise<RunningController> {
  const settings = ControllerOptionsSchema.parse(options);
  const { log } = parts;
  log.info({ controller: settings.id, nats: settings.nats }, "controller starts");
  await checkSecretFolder("--check-secrets", settings.checkSecrets);
  await checkSecretFolder("--notify-secrets", settings.notifySecrets);
  const operatorKeys: OperatorKeys = settings.operatorKeys === undefined ? new Map() : await readOperatorKeys(settings.operatorKeys);
  const kills = createKillSwitch(operatorKeys, log);
  const tokens = settings.tokens === undefined ? undefined : await openTokens(settings.tokens, parts);
  let controller: Controller | undefined;
  const page = await startPage({ settings, operatorKeys, ...parts, tokens, shown: () => controller });
  if (page?.url !== undefined) log.info({ http: page.url }, "health and metrics are served");
  try {
    const kubernetes = await openKubernetes(settings, parts);
    const links = await reachNats(settings, log, signal);
    controller = new Controller({ ...links, settings, operatorKeys, kills, page, tokens, kubernetes, ...parts });
    return controller;
  } catch (error) {
    await page?.stop();
    throw error;
  }
}

type Parts = ControllerParts &
  Awaited<ReturnType<typeof reachNats>> &
  Readonly<{
    settings: ControllerSettings;
    operatorKeys: OperatorKeys;
    kills: KillSwitch;
    page: Page | undefined;
    tokens: TokenBook | undefined;
    kubernetes: Kubernetes | undefined;
  }>;

class Controller implements RunningController, Shown {
  readonly #parts: Parts;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  readonly feedback: FeedbackPorts;
  readonly connection = createConnectionStanding();
  #leading: Readonly<{ writer: FencedWriter; term: Term }> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.feedback = feedbackPorts(parts.link, parts.clock);
    this.connection.follow(parts.link);
    this.#done = this.#run();
  }

  isLeader(): boolean {
    return this.#leading?.writer.isExpired === false;
  }

  get httpUrl(): string | undefined {
    return this.#parts.page?.url;
  }

  get link(): NatsLink {
    return this.#parts.link;
  }

  get term(): Term | undefined {
    return this.#leading?.term;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#parts.page?.stop();
    await this.#done;
    await this.#parts.kubernetes?.close();
    await this.#parts.told.close();
    await this.#parts.link.close();
  }

  async #run(): Promise<void> {
    const { log, settings } = this.#parts;
    const { signal } = this.#stopping;
    const candidate = new Candidate(this.#parts);
    const replication = replicationOf(settings, log);
    const ear = createCountsEar(this.#parts);
    let isTroubled = false;
    while (!signal.aborted) {
      try {
        const manager = await ensureStreams(this.#parts.link, replication);
        isTroubled = false;
        const writer = await candidate.elect(signal, ear);
        if (writer !== undefined) await this.#serve(writer, manager, ear);
      } catch (error) {
        // JetStream starting, away or restarting: said once, tried until it is back.
        if (!isTroubled) log.warn({ err: error }, "cannot lead or stand by, trying again");
        isTroubled = true;
        await pause(settings.renewMs, signal);
      }
    }
  }

  /** One time in office: begins, serves until deposed or stopped, and leaves nothing running. */
  async #serve(writer: FencedWriter, manager: JetStreamManager, ear: CountsEar): Promise<void> {
    const { link, log, clock, settings, operatorKeys, kills, kubernetes } = this.#parts;
    const ended = new AbortController();
    const end = (reason: string): void => {
      writer.end(reason);
      if (!ended.signal.aborted) log.warn({ term: writer.term, reason }, "leads no more");
      ended.abort();
    };
    const stored = documentPorts(link, manager, writer);
    const ports = {
      span: this.#parts.page?.span,
      state: statePort(manager, writer),
      audit: auditPort(link),
      ticks: tickPort(link),
      ...stored,
    };
    const term = new Term(
      {
        id: settings.id,
        term: writer.term,
        settings,
        clock,
        log,
        ...ports,
        operatorKeys,
        kubernetes,
        ...killQuestions(kills),
      },
      (error: DeposedError) => end(error.message),
    );
    const stops = [this.#renew(writer, end), () => ear.close()];
    // Not before all rollouts are known: Events are about what they name.
    const receivers = () => (this.#leading === undefined ? undefined : term.policy.receivers);
    const tellEvent = eventTeller(kubernetes, term);
    const stopTelling = startNotifier({ ...this.#parts, manager, receivers, tellEvent }, settings.tickMs);
    try {
      const begun = this.#begin(term, manager);
      ear.tell(term, begun);
      await begun;
      stops.push(...this.#listen(term));
      const over = aborted(AbortSignal.any([ended.signal, this.#stopping.signal]));
      // Only after a round trip does the server know where commands go; without NATS there is none.
      await Promise.race([link.connection.flush(), over]);
      // What is said from here on is heard; what was said before is kept.
      if (!this.#stopping.signal.aborted && !ended.signal.aborted) await hearGoodbyes(link, term, log);
      this.#leading = { writer, term };
      log.info({ controller: settings.id, term: writer.term }, "leads");
      await over;
    } finally {
      this.#leading = undefined;
      for (const stop of stops) stop();
      await term.end();
      if (!ended.signal.aborted) await releaseLease(writer, log);
      // After the lease is given back: whoever leads next waits for nobody's receiver.
      await stopTelling();
      writer.end("the term is over");
    }
  }

  async #begin(term: Term, manager: JetStreamManager): Promise<void> {
    const { link, log, kills } = this.#parts;
    // Not waited for: its one server may be away, and nothing that moves traffic needs it.
    void ensureTicks(manager).catch((error: unknown) => log.warn({ err: error }, "no stream for ticks: `serin replay` will find none"));
    // Given while nobody led.
    for (const order of await readKills(link)) kills.hear(order);
    await term.begin();
  }

  /** Renews on its own timer, whatever the term is busy with. Returns the way to stop. */
  #renew(writer: FencedWriter, end: (reason: string) => void): () => void {
    let isUnderWay = false;
    const timer = setInterval(() => {
      if (isUnderWay) return;
      isUnderWay = true;
      writer
        .renew()
        .catch((error: unknown) => end(error instanceof Error ? error.message : String(error)))
        .finally(() => {
          isUnderWay = false;
        });
    }, this.#parts.settings.renewMs);
    return () => clearInterval(timer);
  }

  #listen(term: Term): (() => void)[] {
    const { link, log, settings, kills } = this.#parts;
    const bad = (what: string) => (error: unknown) => log.warn({ err: error }, `${what} that cannot be read`);
    const noCommand = bad("command");
    const ticks = setInterval(() => term.tick(), settings.tickMs);
    return [
      () => clearInterval(ticks),
      subscribeSafely(link, SUBJECTS.allReceipts, (message) => term.onReceipt(message), bad("receipt")),
      askPrometheus(term, this.#parts),
      subscribeSafely(link, SUBJECTS.allFeedback, (message) => message.respond(JSON.stringify(term.onFeedback(message))), bad("feedback")),
      subscribeSafely(link, SUBJECTS.series, ({ data, respond }) => respond(term.series.answer(data)), bad("question")),
      subscribeSafely(link, SUBJECTS.allKills, ({ data }) => void (kills.hear(data) && term.tick()), bad("order to switch off")),
      subscribeSafely(link, SUBJECTS.command, (message) => void hearCommand(message, term, this.#parts).catch(noCommand), noCommand),
    ];
  }
}
