import { readEvidence } from "./evidence-check.ts";
import { type KnownSeries, pointsOf } from "./evidence-points.ts";
import { type Incoming, lastToken, parse } from "./incoming.ts";
import type { SourcedReport } from "./judging.ts";

/** Of a message about few rollouts, like those that sidecars send at once when a canary fails. */
const SMALL_BYTES = 32 * 1_024;
/** What may wait to be read. A thousand rollouts at three sidecars come to 40 MiB in a round of four seconds. */
const MAX_WAITING_BYTES = 64 * 1_024 * 1_024;

interface IntakeLog {
  warn(fields: object, text: string): void;
}

/**
 * Reads evidence: what is small at once, what tells of many rollouts one message in a turn of the event loop, so that whatever comes leaves time for all
 * else. Of one sidecar all is read in its sequence: a message that was overtaken counts nothing. Where more comes than can be read, the oldest goes:
 * later messages hold what it said of all that is still under way, and what it said of runs that are over is lost to this leader.
 */
export class EvidenceIntake {
  readonly #log: IntakeLog;
  readonly #heard: (report: SourcedReport) => void;
  readonly #maxBytes: number;
  readonly #known: KnownSeries = new Map();
  #waiting: Incoming[] = [];
  #bytes = 0;
  #dropped = 0;
  #next: NodeJS.Immediate | undefined;

  constructor(log: IntakeLog, heard: (report: SourcedReport) => void, maxBytes = MAX_WAITING_BYTES) {
    this.#log = log;
    this.#heard = heard;
    this.#maxBytes = maxBytes;
  }

  /** Takes a message in. */
  hear(message: Incoming): void {
    if (message.data.length > SMALL_BYTES) this.#waiting.push(message);
    else if (this.#waiting.some(({ subject }) => subject === message.subject)) this.#hurry(message);
    else return this.#read(message);
    this.#bytes += message.data.length;
    while (this.#bytes > this.#maxBytes) this.#drop();
    this.#next ??= setImmediate(() => this.#work());
  }

  /** Drops what waits. */
  close(): void {
    clearImmediate(this.#next);
    this.#waiting = [];
  }

  /** Behind what waits of its sidecar, and with that before all others. */
  #hurry(message: Incoming): void {
    const isOfIt = ({ subject }: Incoming): boolean => subject === message.subject;
    this.#waiting = [...this.#waiting.filter(isOfIt), message, ...this.#waiting.filter((each) => !isOfIt(each))];
  }

  #work(): void {
    const message = this.#take();
    if (message !== undefined) this.#read(message);
    this.#next = this.#waiting.length === 0 ? undefined : setImmediate(() => this.#work());
  }

  /** Said once for twice as many each time. */
  #drop(): void {
    const subject = this.#take()?.subject;
    this.#dropped += 1;
    if (Number.isInteger(Math.log2(this.#dropped)))
      this.#log.warn({ subject, dropped: this.#dropped }, "more evidence comes than can be read, the oldest is dropped");
  }

  #take(): Incoming | undefined {
    const message = this.#waiting.shift();
    this.#bytes -= message?.data.length ?? 0;
    return message;
  }

  #read({ subject, data }: Incoming): void {
    try {
      this.#heard({ sidecar: lastToken(subject), report: pointsOf(readEvidence(parse(data)), this.#known) });
    } catch (error) {
      this.#log.warn({ err: error, subject }, "evidence that cannot be read");
    }
  }
}
