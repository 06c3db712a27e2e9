import { type JudgeRecord, JudgeRecordSchema, type LiveState, LiveStateSchema } from "../../../src/contract/live.ts";
import { type Command, type Reply, ReplySchema, type Stopped } from "../../../src/contract/messages.ts";
import { SUBJECTS } from "../../../src/contract/names.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import type { ManifestPayload } from "../../../src/contract/rules.ts";
import { DeposedError } from "../../../src/controller/fenced-writer.ts";
import { ControllerOptionsSchema } from "../../../src/controller/options.ts";
import type { TermParts } from "../../../src/controller/ports.ts";
import { Term } from "../../../src/controller/term.ts";
import { createLog } from "../../../src/io/log.ts";
import type { Stored } from "../../../src/io/nats.ts";
import { decodeManifest } from "../../../src/io/rules-store.ts";
import { decodeStored } from "../../../src/io/store.ts";
import { failingMessage, users } from "../../support/failing-inputs.ts";
import { type Counts, evidenceOf, receiptOf } from "./builders.ts";
import { MemoryStore } from "./memory-store.ts";

const TURN_MS = 100;
const settings = ControllerOptionsSchema.parse({ id: "a", nats: "nats://unused" });
const log = createLog({ name: "test", level: "silent" });
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Leaders, one sidecar and made-up requests over a store in memory, with time that the test moves. */
export class Play {
  readonly store = new MemoryStore();
  readonly replies = new Map<string, Reply>();
  /** Failed canary requests among 100. */
  canaryFailed = 0;
  /** The one user whose requests these are, and how many of its requests an hour failed at rest before; undefined where nobody knows users. */
  brokenUser: { readonly bucket: number; readonly hourly: number } | undefined;
  /** Failed requests are of as many users, none of whom failed before. */
  newUsersFail = false;
  /** What the sidecar claims to obey instead of the manifest. */
  ahead: Readonly<{ epoch: number; revision: number }> | undefined;
  /** True when only series of the run in force still change, as in earnest. */
  sendsCurrentRunOnly = false;
  /** Canaries that the sidecar says it stopped by itself. */
  stopped: readonly Stopped[] = [];
  /** Sidecars beside it that obey all, count nothing, and stop what it stopped where they do. */
  others: readonly string[] = [];
  othersStop = false;
  /** Leaders so far. */
  terms = 0;
  nowMs = 1_000_000_000_000;
  /** Operators' orders to switch off, as the controller knows them. */
  killed: TermParts["killed"] = () => undefined;
  readonly #allowed: number;
  readonly #doomed: string | undefined;
  readonly #counts = new Map<string, Counts>();
  readonly #decoded = new WeakMap<Stored, unknown>();
  #sequence = 0;
  #term: Term | undefined;
  #isKilled = (): boolean => true;

  /** The first leader is killed after so many writes, or before the first that is about this. */
  constructor(allowed: number | string) {
    [this.#allowed, this.#doomed] = typeof allowed === "number" ? [allowed] : [Number.POSITIVE_INFINITY, allowed];
  }

  get isKilled(): boolean {
    return this.#isKilled();
  }

  get live(): LiveState | undefined {
    return this.#read(SUBJECTS.live("cart"), (stored) => decodeStored(LiveStateSchema, stored));
  }

  /** The nth plan that was stored. */
  plan(number: number): unknown {
    return this.store.planAt(number);
  }

  get judged(): JudgeRecord | undefined {
    return this.#read(SUBJECTS.judge("cart"), (stored) => decodeStored(JudgeRecordSchema, stored));
  }

  get manifest(): ManifestPayload | undefined {
    return this.#read(SUBJECTS.manifest, ({ data }) => decodeManifest(data));
  }

  /** What is stored there, read once. */
  #read<Value>(subject: string, decode: (stored: Stored) => Value): Value | undefined {
    const stored = this.store.read(subject);
    if (stored === undefined) return undefined;
    const value = this.#decoded.get(stored) ?? decode(stored);
    this.#decoded.set(stored, value);
    // A subject holds values of one kind.
    return value as Value;
  }

  /** One turn of time: a killed leader is succeeded, the sidecar reports, the leader looks at its deadlines. */
  async turn(): Promise<void> {
    this.nowMs += TURN_MS;
    if (this.#isKilled()) await this.succeed();
    this.#report();
    this.#term?.tick();
    await settle();
  }

  /** Turns until something holds. */
  async until(what: string, holds: () => boolean): Promise<void> {
    for (let turns = 0; turns < 400; turns += 1) {
      if (holds()) return;
      await this.turn();
    }
    throw new Error(`${what}: not within 400 turns; the rollout is ${this.live?.plan.phase}`);
  }

  /** Sends a command again and again with the same id until it is answered, as the command line does. */
  async send(verb: Command["verb"], change: Partial<Command> = {}): Promise<Reply> {
    const id = change.id ?? `${verb}-command`;
    const command: Command = { format: 1, id, verb, rollout: "cart", who: { name: "ann", claimed: true }, ...change };
    await this.until(`answer to ${verb}`, () => {
      if (this.replies.has(id)) return true;
      this.post(command);
      return false;
    });
    const reply = this.replies.get(id);
    if (reply === undefined) throw new Error("unanswered");
    return reply;
  }

  /** Sends a command once and waits for no answer. */
  post(command: Command): void {
    const respond = (text: string): void => void this.replies.set(command.id, ReplySchema.parse(JSON.parse(text)));
    this.#term?.onCommand({ subject: SUBJECTS.command, data: encode(command) }, respond);
  }

  apply(document: RolloutInput, id = "apply-command"): Promise<Reply> {
    return this.send("apply", { document, id });
  }

  /** The leader does nothing more; the next turn brings another. */
  kill(): void {
    this.#term = undefined;
    this.#isKilled = () => true;
  }

  /** The next leader takes over, and has heard nothing yet. */
  async succeed(): Promise<void> {
    this.terms += 1;
    const { isKilled, ...ports } =
      this.terms === 1 ? this.store.ports(this.#allowed, this.#doomed) : this.store.ports(Number.POSITIVE_INFINITY);
    this.#isKilled = isKilled;
    const clock = { nowMs: () => this.nowMs, monotonicMs: () => this.nowMs };
    this.#term = new Term(
      { id: "a", term: this.terms, settings, clock, log, ...ports, killed: (rollout) => this.killed(rollout) },
      () => undefined,
    );
    try {
      await this.#term.begin();
    } catch (error) {
      if (!(error instanceof DeposedError)) throw error;
      this.#term = undefined;
    }
  }

  #report(): void {
    const { manifest } = this;
    if (manifest === undefined || this.#term === undefined) return;
    const { epoch, revision } = this.ahead ?? manifest;
    for (const sidecar of ["side", ...this.others]) {
      const stopped = (sidecar === "side" || this.othersStop) && this.stopped.length > 0 ? { stopped: [...this.stopped] } : {};
      const data = encode(receiptOf(sidecar, { epoch, revision, labels: { zone: sidecar }, ...stopped }));
      this.#term.onReceipt({ subject: SUBJECTS.receipt(sidecar), data });
    }
    const live = manifest.live["cart"];
    if (live === undefined) return;
    const canary = live.shareBp / 10;
    this.#count({ variant: "stable", run: live.run, decided: 1_000 - canary, ok: 1_000 - canary, failed: 0 });
    const failed = (canary * this.canaryFailed) / 100;
    this.#count({ variant: "canary", run: live.run, decided: canary, ok: canary - failed, failed });
    this.#tellUsers();
    this.#sequence += 1;
    const changed = [...this.#counts.values()].filter(({ run }) => !this.sendsCurrentRunOnly || run === live.run);
    // Of times nothing is told: a canary is cold for its first minute, and no test here waits for that.
    const data = encode(
      evidenceOf(
        "cart",
        this.#sequence,
        changed.map((each) => ({ ...each, isTimed: false })),
      ),
    );
    this.#term.onEvidence({ subject: SUBJECTS.evidence("side"), data });
  }

  /** As sidecars do, before the evidence that counts the same failures. */
  #tellUsers(): void {
    if (this.brokenUser === undefined && !this.newUsersFail) return;
    const { bucket, hourly } = this.brokenUser ?? { bucket: 0, hourly: 0 };
    const failed = [...this.#counts.values()].filter((count) => count.failed > 0);
    const whoOf = (count: Counts) => (this.newUsersFail ? users(count.failed, 1_000) : { [bucket]: count.failed });
    const runs = Object.fromEntries(failed.map((count) => [`${count.run} ${count.variant}`, whoOf(count)]));
    const message = failingMessage(1, runs, hourly === 0 ? undefined : { [bucket]: hourly });
    this.#term?.onFailingUsers({ subject: SUBJECTS.failing("side"), data: encode(message) });
  }

  #count(more: Counts): void {
    const key = `${more.variant} ${more.run}`;
    const { decided, ok, failed } = this.#counts.get(key) ?? { decided: 0, ok: 0, failed: 0 };
    this.#counts.set(key, { ...more, decided: decided + more.decided, ok: ok + more.ok, failed: failed + more.failed });
  }
}

/** Lets all that is queued run: nothing here waits for more than turns of the event loop. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 8; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}
