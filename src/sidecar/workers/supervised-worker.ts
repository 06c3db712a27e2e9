import { SerinError } from "../../contract/errors.ts";
import { EXIT } from "../../contract/exit-codes.ts";
import type { Clock } from "../../io/clock.ts";
import type { Logger } from "../../io/log.ts";
import type { LogLevel } from "../../io/log-levels.ts";
import type { SidecarSettings } from "../options.ts";
import { type FromWorker, FromWorkerSchema, type ToWorker, type WorkerMetrics } from "./messages.ts";
import { createToldMetrics } from "./told-metrics.ts";

/** A process that was started. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** What cannot be delivered is of no account: the end of the process tells. */
  send(message: ToWorker): void;
  /** At once, without a word. */
  kill(): void;
}

interface ProcessEvents {
  message(message: unknown): void;
  /** Said once, after the last message. `how` ends the sentence "it ended with". */
  ended(how: string): void;
}

/** Starts a process of this program as the worker of that name. */
export type StartProcess = (id: string, events: ProcessEvents) => WorkerProcess;

export interface WorkerParts {
  readonly startProcess: StartProcess;
  readonly clock: Clock;
  readonly log: Logger;
  readonly logLevel: LogLevel;
}

/** Hears what one worker counted, and when what is counted is lost. */
export interface WorkerEvents {
  counted(metrics: WorkerMetrics): void;
  died(): void;
}

type Answer = Extract<FromWorker, { type: "metrics" | "readiness" }>;

/** One worker, whatever process it is at the time. */
export interface SupervisedWorker {
  readonly id: string;
  /** Ports of the first process; rejects when it could not start, and then none is started again. */
  readonly started: Promise<Pick<Extract<FromWorker, { type: "serving" }>, "extProcPort" | "alsPort">>;
  /** `silent` is one that runs and does not answer in time. */
  ask(about: "metrics" | "readiness"): Promise<Answer | "silent" | "not serving">;
  isServing(): boolean;
  /** How often it was started again. */
  restarts(): number;
  /** Resolves when its process has ended, by itself or killed at the deadline. */
  stop(deadlineMs: number): Promise<void>;
}

type State =
  | { readonly is: "starting"; readonly process: WorkerProcess; readonly deadline: NodeJS.Timeout; failure: SerinError | undefined }
  | { readonly is: "serving"; readonly process: WorkerProcess; readonly sinceMs: number }
  | { readonly is: "waiting"; readonly timer: NodeJS.Timeout }
  | { readonly is: "stopping"; readonly process: WorkerProcess; readonly deadline: NodeJS.Timeout }
  | { readonly is: "ended" };

/** For an answer, and for each further part of it: probes give up after a second. */
const ANSWER_MS = 500;

/** Far above the first load of a large rule set. */
const START_MS = 60_000;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** A worker that has lived so long has not died of its start. */
const PROVEN_MS = 10_000;

/** Starts a worker, and again whenever it dies, until it is stopped. */
export function superviseWorker(options: SidecarSettings, parts: WorkerParts, events: WorkerEvents): SupervisedWorker {
  return new Worker(options, parts, events);
}

type Ports = Awaited<SupervisedWorker["started"]>;

interface Question {
  readonly limit: NodeJS.Timeout;
  answer(heard: Answer | "not serving"): void;
}

class Worker implements SupervisedWorker {
  readonly id: string;
  readonly started: Promise<Ports>;
  readonly #options: SidecarSettings;
  readonly #parts: WorkerParts;
  readonly #events: WorkerEvents;
  readonly #questions = new Map<number, Question>();
  readonly #told = createToldMetrics();
  readonly #ended: Promise<void>;
  #state: State;
  #asked = 0;
  #restarts = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #hasServed = false;
  #served: (ports: Ports) => void = () => undefined;
  #failed: (error: SerinError) => void = () => undefined;
  #end: () => void = () => undefined;

  constructor(options: SidecarSettings, parts: WorkerParts, events: WorkerEvents) {
    this.id = options.id;
    this.#options = options;
    this.#parts = parts;
    this.#events = events;
    this.started = new Promise((resolve, reject) => {
      this.#served = resolve;
      this.#failed = reject;
    });
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#state = this.#begin();
  }

  isServing(): boolean {
    return this.#state.is === "serving";
  }

  restarts(): number {
    return this.#restarts;
  }

  async ask(about: "metrics" | "readiness"): Promise<Answer | "silent" | "not serving"> {
    const state = this.#state;
    // One that drains still counts.
    if (state.is !== "serving" && state.is !== "stopping") return "not serving";
    const request = (this.#asked += 1);
    const answer = await new Promise<Answer | "silent" | "not serving">((resolve) => {
      const limit = setTimeout(() => resolve("silent"), ANSWER_MS);
      this.#questions.set(request, { limit, answer: resolve });
      state.process.send({ type: "ask", request, about });
    });
    clearTimeout(this.#questions.get(request)?.limit);
    this.#questions.delete(request);
    return answer;
  }

  stop(deadlineMs: number): Promise<void> {
    const state = this.#state;
    switch (state.is) {
      case "starting":
      case "serving": {
        if (state.is === "starting") clearTimeout(state.deadline);
        const { process } = state;
        process.send({ type: "stop" });
        this.#state = { is: "stopping", process, deadline: setTimeout(() => process.kill(), deadlineMs) };
        break;
      }
      case "waiting":
        clearTimeout(state.timer);
        this.#state = { is: "ended" };
        this.#end();
        break;
      case "stopping":
      case "ended":
    }
    return this.#ended;
  }

  #begin(): State {
    const { startProcess, logLevel } = this.#parts;
    const process = startProcess(this.id, {
      message: (message) => this.#heard(message),
      ended: (how) => this.#gone(how),
    });
    process.send({ type: "start", options: this.#options, logLevel });
    return { is: "starting", process, deadline: setTimeout(() => process.kill(), START_MS), failure: undefined };
  }

  #heard(unchecked: unknown): void {
    const { success, data: message, error } = FromWorkerSchema.safeParse(unchecked);
    if (!success) {
      this.#parts.log.error({ worker: this.id, error }, "a worker's message is not understood; is it of another version?");
      return;
    }
    const state = this.#state;
    switch (message.type) {
      case "serving":
        if (state.is !== "starting") return;
        clearTimeout(state.deadline);
        this.#state = { is: "serving", process: state.process, sinceMs: this.#parts.clock.monotonicMs() };
        this.#hasServed = true;
        return this.#served(message);
      case "failed":
        if (state.is === "starting") state.failure = new SerinError(message.code, message.exitCode, `${this.id}: ${message.message}`);
        return;
      case "last":
        return this.#events.counted(message.metrics);
      case "metrics": {
        const all = this.#told.add(message);
        if (all === undefined) return void this.#questions.get(message.request)?.limit.refresh();
        // Also when it comes late: it is newer than what was known.
        this.#events.counted(all);
        return this.#questions.get(message.request)?.answer(message);
      }
      case "readiness":
        this.#questions.get(message.request)?.answer(message);
    }
  }

  #gone(how: string): void {
    this.#events.died();
    this.#told.clear();
    for (const { answer } of this.#questions.values()) answer("not serving");
    const state = this.#state;
    switch (state.is) {
      case "starting": {
        clearTimeout(state.deadline);
        const failure = state.failure ?? new SerinError("WORKER_ENDED", EXIT.ourError, `${this.id}: it ended with ${how} before it served`);
        if (this.#hasServed) this.#beginLater(how, failure);
        else this.#giveUp(failure);
        return;
      }
      case "serving":
        if (this.#parts.clock.monotonicMs() - state.sinceMs >= PROVEN_MS) this.#pauseMs = FIRST_PAUSE_MS;
        this.#beginLater(how);
        return;
      case "stopping":
        clearTimeout(state.deadline);
        this.#giveUp(new SerinError("WORKER_ENDED", EXIT.ourError, `${this.id}: it was stopped before it served`));
        return;
      case "waiting":
      case "ended":
    }
  }

  #beginLater(how: string, error?: SerinError): void {
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    this.#parts.log.error({ worker: this.id, how, pauseMs, ...(error && { error }) }, "a worker died, it is started again");
    const timer = setTimeout(() => {
      this.#restarts += 1;
      this.#state = this.#begin();
    }, pauseMs);
    this.#state = { is: "waiting", timer };
  }

  /** Where it has served before, the promise of its start is kept already. */
  #giveUp(failure: SerinError): void {
    this.#state = { is: "ended" };
    this.#failed(failure);
    this.#end();
  }
}
