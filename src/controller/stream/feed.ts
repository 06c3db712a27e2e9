import { stagesOf } from "../../contract/course.ts";
import type { Fleet, LiveState } from "../../contract/live.ts";
import type { Audit } from "../../contract/messages.ts";
import { AuditSchema } from "../../contract/messages.ts";
import { SUBJECTS } from "../../contract/names.ts";
import type { StreamEvent } from "../../contract/stream.ts";
import type { Clock } from "../../io/clock.ts";
import type { Logger } from "../../io/log.ts";
import { type NatsLink, subscribeSafely } from "../../io/nats.ts";
import { listLive, readFleet, readLive } from "../../io/store.ts";
import { phaseText } from "../../told/phase-text.ts";
import { type HeardReceipt, hearReceipts, readMesh, rolloutPicture, sidecarPictures } from "../../told/picture.ts";
import { standingLines } from "../../told/standing-text.ts";
import { inParallel } from "../in-parallel.ts";
import { lastToken, parse } from "../incoming.ts";

/** A reader is told which values are newer than what it has. */
type OnNews = (key: string) => void;

interface FeedParts {
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is to be read anew: a rollout by its name, or one of these, which no rollout is called. */
const [ALL, MESH, FLEET] = ["*", "*mesh", "*fleet"] as const;
/** What is written of a rollout. */
const OF_ROLLOUTS = [SUBJECTS.live("*"), SUBJECTS.judge("*"), SUBJECTS.failingUsers("*"), SUBJECTS.rolloutMix("*")];
/** Changes that come together are read together. */
const GAP_MS = 100;
/** What a lost message hides at most so long. */
const ALL_EVERY_MS = 15_000;
/** Whether somebody leads shows by what does not come. */
const MESH_EVERY_MS = 2_000;
/** The fleet is told so often, since each receipt changes it. */
const FLEET_EVERY_MS = 2_000;
/** After a failed look. */
const AGAIN_MS = 1_000;
/** A sidecar that was heard so lately is there: those without a live canary tell every 10 s. */
const HEARD_MS = 15_000;
/** Lines of the audit that a reader may be behind by. */
const MOST_LINES = 256;

/** As it travels. JSON holds no line break. */
const eventText = (event: StreamEvent): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** The picture as it changes, for any number of readers: each value stands here once, as the text of its newest event. Runs while somebody reads. */
export class Feed {
  readonly #parts: FeedParts;
  readonly #readers = new Set<OnNews>();
  readonly #texts = new Map<string, string>();
  readonly #lines: string[] = [];
  readonly #dirty = new Set<string>();
  readonly #heard = new Map<string, HeardReceipt>();
  readonly #states = new Map<string, LiveState>();
  #fleet: Fleet | undefined;
  #fleetToldMs = Number.NEGATIVE_INFINITY;
  #stops: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** The newest event of a key; undefined where it is too old to be kept. */
  text(key: string): string | undefined {
    return this.#texts.get(key);
  }

  /** Tells of all that there is, and from then on of what is new. Returns the way to stop. */
  join(onNews: OnNews): () => void {
    this.#readers.add(onNews);
    if (this.#readers.size === 1) this.#start();
    else for (const key of this.#texts.keys()) if (!this.#lines.includes(key)) onNews(key);
    return () => {
      if (this.#readers.delete(onNews) && this.#readers.size === 0) this.#stop();
    };
  }

  #start(): void {
    const { link, log } = this.#parts;
    const bad = (error: unknown): void => log.warn({ err: error }, "word of a change that cannot be read");
    const hear = (subject: string, on: Parameters<typeof subscribeSafely>[2]): (() => void) => subscribeSafely(link, subject, on, bad);
    const timers = [setInterval(() => this.#look(ALL), ALL_EVERY_MS), setInterval(() => this.#look(MESH), MESH_EVERY_MS)];
    this.#stops = [
      ...timers.map((timer) => () => clearInterval(timer)),
      ...OF_ROLLOUTS.map((subject) => hear(SUBJECTS.push(subject), (message) => this.#look(lastToken(message.subject)))),
      hear(SUBJECTS.push(SUBJECTS.fleet), () => this.#look(FLEET)),
      hear(SUBJECTS.push(SUBJECTS.freeze), () => this.#look(MESH)),
      hear(SUBJECTS.rolloutPlans, ({ subject }) => this.#look(lastToken(subject))),
      hear(SUBJECTS.allKills, () => this.#look(MESH)),
      hear(SUBJECTS.allAudit, ({ data }) => this.#takeLine(AuditSchema.parse(parse(data)))),
      hearReceipts(link, (sidecar, receipt) => {
        this.#heard.set(sidecar, { receipt, atMs: this.#parts.clock.nowMs() });
        this.#look(FLEET);
      }),
    ];
    this.#look(ALL);
  }

  #stop(): void {
    for (const stop of this.#stops) stop();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lines.length = 0;
    for (const known of [this.#texts, this.#dirty, this.#heard, this.#states]) known.clear();
  }

  /** Looks at what changed after a moment, in which more may come. */
  #look(what: string | undefined, afterMs = GAP_MS): void {
    if (what !== undefined) this.#dirty.add(what);
    if (this.#dirty.size === 0 || this.#isLooking || this.#timer !== undefined || this.#readers.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#lookNow();
    }, afterMs);
  }

  async #lookNow(): Promise<void> {
    const { clock, log } = this.#parts;
    const dirty = new Set(this.#dirty);
    this.#dirty.clear();
    this.#isLooking = true;
    let afterMs = GAP_MS;
    try {
      await this.#read(dirty);
    } catch (error) {
      afterMs = AGAIN_MS;
      log.warn({ err: error }, "picture for readers not read, trying again");
      const problem = "NATS does not answer: what is shown is old";
      this.#tell("mesh", { type: "mesh", nowMs: clock.nowMs(), leader: null, orders: [], freeze: null, problem });
      this.#dirty.add(ALL);
    }
    this.#isLooking = false;
    this.#look(undefined, afterMs);
  }

  async #read(dirty: ReadonlySet<string>): Promise<void> {
    const { link, clock } = this.#parts;
    const isAll = dirty.has(ALL);
    if (isAll) for (const state of await listLive(link)) this.#states.set(state.rollout, state);
    if (isAll || dirty.has(FLEET)) this.#fleet = await readFleet(link);
    const names = isAll ? [...this.#states.keys()] : [...dirty].filter((name) => name !== MESH && name !== FLEET);
    await inParallel(names, (name) => this.#readRollout(name));
    if (isAll || dirty.has(MESH)) {
      const mesh = await readMesh(link, clock.nowMs());
      this.#tell("mesh", { type: "mesh", nowMs: clock.nowMs(), ...mesh, problem: null });
    }
    this.#tellFleet(isAll);
  }

  async #readRollout(name: string): Promise<void> {
    const { link, clock } = this.#parts;
    const state = await readLive(link, name);
    if (state === undefined) {
      if (this.#states.delete(name)) this.#tell(`rollout ${name}`, { type: "gone", name });
      return;
    }
    this.#states.set(name, state);
    const rollout = await rolloutPicture(link, state, this.#fleet);
    const lines = standingLines(rollout, clock.nowMs());
    const stages = rollout.strategy === undefined ? [] : stagesOf(rollout.strategy);
    this.#tell(`rollout ${name}`, {
      type: "rollout",
      rollout,
      phase: phaseText(rollout),
      stages: stages.map(({ share: shareBp, minTime: minTimeMs }) => ({ shareBp, minTimeMs })),
      lines,
    });
  }

  #tellFleet(isAll: boolean): void {
    const { clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (!isAll && nowMs - this.#fleetToldMs < FLEET_EVERY_MS) return;
    this.#fleetToldMs = nowMs;
    for (const [id, { atMs }] of this.#heard) if (clock.nowMs() - atMs > HEARD_MS) this.#heard.delete(id);
    this.#tell("fleet", { type: "fleet", sidecars: sidecarPictures(this.#fleet, this.#heard, [...this.#states.values()]) });
  }

  #takeLine(line: Audit): void {
    const key = `audit ${line.id}`;
    this.#lines.push(key);
    for (const old of this.#lines.splice(0, Math.max(0, this.#lines.length - MOST_LINES))) this.#texts.delete(old);
    this.#tell(key, { type: "audit", line });
    // The line of a deletion is all that tells of it.
    this.#look(line.rollout);
  }

  /** To all, where it is other than before. */
  #tell(key: string, event: StreamEvent): void {
    const text = eventText(event);
    if (this.#readers.size === 0 || this.#texts.get(key) === text) return;
    this.#texts.set(key, text);
    for (const onNews of this.#readers) onNews(key);
  }
}
