import type { JudgeRecord } from "../../contract/live.ts";
import type { Picture } from "../../contract/picture.ts";
import type { NatsLink } from "../../io/nats.ts";
import { LISTEN_MS, readPicture } from "../../told/picture.ts";
import type { CliParts } from "../parts.ts";
import { commandOf, send } from "../verbs.ts";
import { type Controls, keysText, type Pressed, press, questionText } from "./controls.ts";
import { type Frame, openFrame, type Terminal } from "./frame.ts";
import { createHistory } from "./history.ts";
import { keysIn } from "./keys.ts";
import { inListOrder, screenLines } from "./screen.ts";

/** A screen that shows how things stand, until it is stopped. */
export interface Live {
  /** Something happened that is worth a line. */
  say(line: string): void;
  /** A rollout's live state or judge record was written. */
  changed(rollout: string): void;
  judged(record: Pick<JudgeRecord, "rollout" | "firstRun" | "verdict">): void;
  /** Gives the terminal back. */
  stop(): void;
}

interface Options {
  readonly link: NatsLink;
  /** The only rollout that is asked for; undefined: all. */
  readonly name: string | undefined;
  readonly signWith: string | undefined;
  readonly terminal: Terminal;
  readonly parts: Pick<CliParts, "nowMs" | "newId" | "user" | "token">;
  /** A person wants to leave. */
  quit(): void;
}

const CLOCK_MS = 1_000;
/** A rollout is read again no sooner, and no more of them at once: a thousand of them change each second. */
const READ_MS = 250;
const READ_AT_ONCE = 20;
/** Lines of what happened that are kept. */
const KEPT_CHANGES = 200;

/** Takes the terminal and shows how things stand. */
export async function startLive(options: Options): Promise<Live> {
  const { link, name, parts } = options;
  const picture = await readPicture(link, { name, nowMs: parts.nowMs, listenMs: 0 });
  // Nobody was listened to yet: that a sidecar is silent shows when somebody was.
  const sidecars = picture.sidecars.map((sidecar) => ({ ...sidecar, heard: true, isCurrent: true }));
  return new LiveScreen(options, { ...picture, sidecars });
}

class LiveScreen implements Live {
  readonly #options: Options;
  readonly #frame: Frame;
  readonly #stops: (() => void)[] = [];
  readonly #history = createHistory();
  readonly #dirty = new Set<string>();
  #picture: Picture;
  #controls: Controls;
  #changes: string[] = [];
  #said: string | undefined;
  #isReading = false;
  #isStopped = false;

  constructor(options: Options, picture: Picture) {
    const { name, terminal } = options;
    this.#options = options;
    this.#picture = picture;
    const names = inListOrder(picture.rollouts).map((rollout) => rollout.name);
    this.#controls = { shown: name ?? (names.length === 1 ? names[0] : undefined), chosen: names[0], asked: undefined };
    this.#frame = openFrame(terminal);
    const clock = setInterval(() => this.#draw(), CLOCK_MS);
    this.#stops.push(
      () => clearInterval(clock),
      terminal.onResize(() => this.#draw()),
    );
    if (terminal.onKey !== undefined) this.#stops.push(terminal.onKey((sent) => this.#pressed(sent)));
    this.#draw();
    void this.#followMesh();
  }

  say(line: string): void {
    this.#changes = [...this.#changes, line].slice(-KEPT_CHANGES);
    this.#draw();
  }

  changed(rollout: string): void {
    this.#dirty.add(rollout);
    void this.#readChanged();
  }

  judged({ rollout, firstRun, verdict }: Pick<JudgeRecord, "rollout" | "firstRun" | "verdict">): void {
    if (verdict !== null) this.#history.take(rollout, firstRun, verdict);
    this.changed(rollout);
  }

  stop(): void {
    this.#isStopped = true;
    for (const stop of this.#stops) stop();
    this.#draw();
    this.#frame.close();
  }

  /** Leader, freeze, orders and sidecars; receipts are listened to all the time. */
  async #followMesh(): Promise<void> {
    const { link, parts } = this.#options;
    while (!this.#isStopped) {
      const name = this.#controls.shown ?? this.#controls.chosen;
      const begunMs = performance.now();
      const read = readPicture(link, { name, nowMs: parts.nowMs, listenMs: LISTEN_MS });
      const mesh = await read.catch((error: unknown) => this.#unread(error));
      this.#picture = { ...mesh, rollouts: this.#picture.rollouts };
      this.#draw();
      // A read that failed, and one without sidecars to listen to, ends at once.
      const restMs = CLOCK_MS - (performance.now() - begunMs);
      if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    }
  }

  async #readChanged(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#dirty.size > 0 && !this.#isStopped) {
      const names = [...this.#dirty].slice(0, READ_AT_ONCE);
      for (const name of names) this.#dirty.delete(name);
      await Promise.all(names.map((name) => this.#read(name)));
      this.#draw();
      await new Promise((resolve) => setTimeout(resolve, READ_MS));
    }
    this.#isReading = false;
  }

  async #read(name: string): Promise<void> {
    const { link, parts } = this.#options;
    const read = readPicture(link, { name, nowMs: parts.nowMs, listenMs: 0 });
    const { rollouts } = await read.catch((error: unknown) => this.#unread(error));
    const others = this.#picture.rollouts.filter((rollout) => rollout.name !== name);
    this.#picture = { ...this.#picture, rollouts: [...others, ...rollouts].toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
    this.#controls = { ...this.#controls, chosen: this.#controls.chosen ?? name };
  }

  /** NATS is away, or a record cannot be read: what was seen before stays, and the reason is said. */
  #unread(error: unknown): Picture {
    this.#said = error instanceof Error ? error.message : String(error);
    return this.#picture;
  }

  #pressed(sent: string): void {
    for (const key of keysIn(sent)) {
      const pressed = press(this.#controls, key, this.#around());
      this.#controls = pressed.controls;
      if (pressed.quits === true) return this.#options.quit();
      if (pressed.does !== undefined) void this.#do(pressed.does);
    }
    this.#draw();
  }

  async #do({ verb, rollout, reason }: NonNullable<Pressed["does"]>): Promise<void> {
    const { link, parts, signWith } = this.#options;
    this.#said = `${rollout}: ${verb} …`;
    try {
      const flags = { ...(signWith === undefined ? {} : { signWith }), ...(reason === "" ? {} : { reason }) };
      const { result, message } = await send(link, await commandOf(verb, rollout, flags, parts), parts);
      this.#said = `${rollout}: ${verb} ${result}: ${message}`;
    } catch (error) {
      this.#said = error instanceof Error ? error.message : String(error);
    }
    this.#draw();
  }

  #around(): Parameters<typeof press>[2] {
    const { rollouts } = this.#picture;
    return {
      names: inListOrder(rollouts).map(({ name }) => name),
      hasList: this.#options.name === undefined,
      phaseOf: (rollout) => rollouts.find(({ name }) => name === rollout)?.plan.phase,
    };
  }

  #draw(): void {
    const { terminal, parts } = this.#options;
    const { shown, chosen, asked } = this.#controls;
    const view = {
      picture: this.#picture,
      nowMs: parts.nowMs(),
      shown,
      chosen,
      historyOf: this.#history.of,
      changes: this.#changes,
      question: asked === undefined ? undefined : { text: questionText(asked), typed: asked.typed },
      said: this.#said,
      keys: terminal.onKey === undefined ? "" : keysText(this.#controls, this.#around()),
    };
    this.#frame.draw(screenLines(view, { columns: terminal.columns(), rows: terminal.rows() }));
  }
}
