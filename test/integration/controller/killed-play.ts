import { setTimeout as delay, setImmediate as turnOfLoop } from "node:timers/promises";
import type { JetStreamManager } from "@nats-io/jetstream";
import type { LiveState } from "../../../src/contract/live.ts";
import { type Command, type Reply, ReplySchema } from "../../../src/contract/messages.ts";
import { STREAMS, SUBJECTS } from "../../../src/contract/names.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import type { ManifestPayload } from "../../../src/contract/rules.ts";
import { Candidate } from "../../../src/controller/candidate.ts";
import { DeposedError, type FencedWriter } from "../../../src/controller/fenced-writer.ts";
import { auditPort, documentPorts, statePort, tickPort } from "../../../src/controller/nats-ports.ts";
import { ControllerOptionsSchema } from "../../../src/controller/options.ts";
import { Term } from "../../../src/controller/term.ts";
import type { Clock } from "../../../src/io/clock.ts";
import { createLog } from "../../../src/io/log.ts";
import { ensureStreams, ensureTicks, type NatsLink, readState } from "../../../src/io/nats.ts";
import { decodeManifest } from "../../../src/io/rules-store.ts";
import { readLive } from "../../../src/io/store.ts";
import { type Counts, evidenceOf, receiptOf } from "../../unit/controller/builders.ts";
import { type Kill, mortal } from "./mortal.ts";
import { DEAF } from "./world.ts";

const TURN_MS = 1_000;
const LEASE_MS = 3_000;
const REQUESTS_A_TURN = 100_000;
const log = createLog({ name: "test", level: "silent" });
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

interface Leader {
  readonly term: Term;
  readonly writer: FencedWriter;
  readonly clock: { isStopped: boolean };
  isKilled(): boolean;
  isBusy(): boolean;
}

/**
 * Leaders on a real NATS server, one after the other, in time that the test moves; two sidecars that obey at once, each in a zone of its own, of which one counts made-up requests.
 * The first leader is killed at one of its writes; the next waits until its lease is over.
 */
export class KilledPlay {
  readonly replies = new Map<string, Reply>();
  /** Failed canary requests among 100. */
  canaryFailed = 0;
  terms = 0;
  /** Writes of the first leader. */
  effects = 0;
  readonly #link: NatsLink;
  readonly #manager: JetStreamManager;
  readonly #kill: Kill | undefined;
  readonly #counts = new Map<string, Counts>();
  readonly #deposed: FencedWriter[] = [];
  #sequence = 0;
  #leader: Leader | undefined;
  #nowMs: number;

  constructor(link: NatsLink, manager: JetStreamManager, kill: Kill | undefined) {
    this.#link = link;
    this.#manager = manager;
    this.#kill = kill;
    // The server remembers the ids of audit records for ten minutes, and they are made of the time.
    this.#nowMs = Date.now() + Math.floor(Math.random() * 1e9) * 1_000;
  }

  /** Begins with empty streams. */
  static async begin(link: NatsLink, kill?: Kill): Promise<KilledPlay> {
    const manager = await ensureStreams(link);
    await ensureTicks(manager);
    for (const stream of Object.values(STREAMS)) await manager.streams.purge(stream);
    return new KilledPlay(link, manager, kill);
  }

  live(): Promise<LiveState | undefined> {
    return readLive(this.#link, "cart");
  }

  async manifest(): Promise<ManifestPayload | undefined> {
    const stored = await readState(this.#link, SUBJECTS.manifest);
    return stored === undefined ? undefined : decodeManifest(stored.data);
  }

  /** Turns until something holds. */
  async until(what: string, holds: (live: LiveState | undefined) => boolean): Promise<void> {
    for (let turns = 0; turns < 300; turns += 1) {
      if (holds(await this.live())) return;
      await this.#turn();
    }
    throw new Error(`${what}: not within 300 turns; the rollout is ${JSON.stringify((await this.live())?.plan)}`);
  }

  /** Sends a command with the same id until it is answered, as the command line does. */
  async send(verb: Command["verb"], change: Partial<Command> = {}): Promise<void> {
    const id = change.id ?? `${verb}-command`;
    const command: Command = { format: 1, id, verb, rollout: "cart", who: { name: "ann", claimed: true }, ...change };
    await this.until(`answer to ${verb}`, () => {
      if (this.replies.has(id)) return true;
      const respond = (text: string): void => void this.replies.set(id, ReplySchema.parse(JSON.parse(text)));
      this.#leader?.term.onCommand({ subject: SUBJECTS.command, data: encode(command) }, respond);
      return false;
    });
  }

  apply(document: RolloutInput): Promise<void> {
    return this.send("apply", { document });
  }

  /** Ends the play; tells what the server answers to leaders of the past that write once more. */
  async end(): Promise<readonly unknown[]> {
    const answers = this.#deposed.map((writer) =>
      writer.write(SUBJECTS.live("cart"), "{}").then(
        () => "taken",
        (error: unknown) => (error instanceof DeposedError ? "refused" : error),
      ),
    );
    await this.#leader?.term.end();
    return Promise.all(answers);
  }

  async #turn(): Promise<void> {
    this.#nowMs += TURN_MS;
    if (this.#leader === undefined || this.#leader.isKilled()) await this.#succeed();
    await this.#leader?.writer.renew();
    await this.#report();
    this.#leader?.term.tick();
    await this.#settle();
  }

  async #succeed(): Promise<void> {
    if (this.#leader !== undefined) {
      // A process that was stopped in its tracks does not know that its lease ran out.
      this.#leader.clock.isStopped = true;
      this.#deposed.push(this.#leader.writer);
      await this.#leader.term.end();
    }
    this.terms += 1;
    const settings = ControllerOptionsSchema.parse({
      id: `c${this.terms}`,
      nats: this.#link.connection.getServer(),
      renewMs: 20,
      leaseMs: LEASE_MS,
      judgeWriteMs: 60_000,
    });
    const stoppedMs = { isStopped: false, atMs: 0 };
    const monotonicMs = (): number => {
      if (!stoppedMs.isStopped) stoppedMs.atMs = this.#nowMs;
      return stoppedMs.atMs;
    };
    const clock: Clock = { nowMs: () => this.#nowMs, monotonicMs };
    const writer = await this.#elected(new Candidate({ link: this.#link, clock, log, settings }));
    const stored = documentPorts(this.#link, this.#manager, writer);
    const real = { state: statePort(this.#manager, writer), audit: auditPort(this.#link), ticks: tickPort(this.#link), ...stored };
    const { ports, ...life } = mortal(real, this.terms === 1 ? this.#kill : undefined, () => {
      if (this.terms === 1) this.effects += 1;
    });
    const parts = { id: settings.id, term: writer.term, settings, clock, log, ...ports, killed: () => undefined };
    const term = new Term(parts, () => undefined);
    this.#leader = { term, writer, clock: stoppedMs, ...life };
    try {
      await term.begin();
    } catch (error) {
      if (!(error instanceof DeposedError)) throw error;
    }
  }

  /** The lease of the leader before runs out as the test's time goes by. */
  async #elected(candidate: Candidate): Promise<FencedWriter> {
    let writer: FencedWriter | undefined;
    const elected = candidate.elect(new AbortController().signal, DEAF).then((found) => {
      writer = found;
    });
    while (writer === undefined) {
      await Promise.race([elected, delay(10)]);
      if (writer === undefined) this.#nowMs += TURN_MS;
    }
    return writer;
  }

  async #report(): Promise<void> {
    const manifest = await this.manifest();
    const term = this.#leader?.term;
    if (manifest === undefined || term === undefined) return;
    const { epoch, revision } = manifest;
    for (const [sidecar, zone] of Object.entries({ side: "a", other: "b" }))
      term.onReceipt({ subject: SUBJECTS.receipt(sidecar), data: encode(receiptOf(sidecar, { epoch, revision, labels: { zone } })) });
    const rule = manifest.live["cart"];
    if (rule === undefined) return;
    const canary = (REQUESTS_A_TURN * rule.shareBp) / 10_000;
    const failed = (canary * this.canaryFailed) / 100;
    this.#count({ variant: "stable", run: rule.run, decided: REQUESTS_A_TURN - canary, ok: REQUESTS_A_TURN - canary, failed: 0 });
    this.#count({ variant: "canary", run: rule.run, decided: canary, ok: canary - failed, failed });
    this.#sequence += 1;
    // Of times nothing is told: a canary is cold for its first minute.
    const counts = [...this.#counts.values()].map((each) => ({ ...each, isTimed: false }));
    term.onEvidence({ subject: SUBJECTS.evidence("side"), data: encode(evidenceOf("cart", this.#sequence, counts)) });
  }

  #count(more: Counts): void {
    const key = `${more.variant} ${more.run}`;
    const { decided, ok, failed } = this.#counts.get(key) ?? { decided: 0, ok: 0, failed: 0 };
    this.#counts.set(key, { ...more, decided: decided + more.decided, ok: ok + more.ok, failed: failed + more.failed });
  }

  /** Until nothing that is queued waits for the server any more. */
  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < 8; quiet += 1) {
      await turnOfLoop();
      if (this.#leader?.isBusy() === true) quiet = 0;
    }
  }
}
