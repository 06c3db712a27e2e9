import { CODE, ConnectionFault, DEFAULT_WINDOW, MAX_WINDOW, StreamFault } from "./frames.ts";
import { type Link, type Method, Stream } from "./stream.ts";

/** A request of a user is one stream; more at a time than any Envoy opens. */
export const MAX_STREAMS = 100_000;

/** So many streams that were reset are remembered, the latest. */
const MAX_RESET = 1_000;

/** The streams of one connection: those that are open, those among them that wait for room, and those that this side reset. */
export class Streams {
  /** The highest number that the client has used. */
  last = 0;
  readonly #open = new Map<number, Stream>();
  readonly #waiting = new Set<Stream>();
  readonly #reset = new Set<number>();
  #initialWindow = DEFAULT_WINDOW;

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  find(id: number): Stream | undefined {
    return this.#open.get(id);
  }

  /** Opens the client's next stream. Throws ConnectionFault, or StreamFault where it must not be. */
  open(id: number, link: Link, method: Method): Stream {
    if (id % 2 === 0) throw new ConnectionFault(CODE.protocol, `stream ${id} is not a client's`);
    if (id <= this.last) throw new ConnectionFault(CODE.streamClosed, `stream ${id} was there before`);
    this.last = id;
    if (link.isFinishing || this.#open.size >= MAX_STREAMS) throw new StreamFault(id, CODE.refused, "no more streams");
    const stream = new Stream(id, link, this.#initialWindow, method);
    this.#open.set(id, stream);
    return stream;
  }

  gone(stream: Stream): void {
    this.#open.delete(stream.id);
    this.#waiting.delete(stream);
  }

  goneAll(): void {
    for (const stream of [...this.#open.values()]) stream.gone();
  }

  /** This side reset it. What the client sent before it heard of that is on its way still, and no fault (RFC 9113, section 5.1). */
  reset(id: number): void {
    this.#reset.add(id);
    if (this.#reset.size <= MAX_RESET) return;
    for (const oldest of this.#reset) {
      this.#reset.delete(oldest);
      return;
    }
  }

  isReset(id: number): boolean {
    return this.#reset.has(id);
  }

  /** This stream has answers for which the client has given no room. */
  wait(stream: Stream): void {
    this.#waiting.add(stream);
  }

  /** Sends what waits, as far as there is room now. */
  proceed(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const stream of waiting) stream.proceed();
  }

  /** New streams begin with so much room, and open ones have as much more or less. Throws ConnectionFault. */
  setInitialWindow(bytes: number): void {
    for (const stream of this.#open.values()) {
      stream.window += bytes - this.#initialWindow;
      if (stream.window > MAX_WINDOW) throw new ConnectionFault(CODE.flowControl, "a stream has more room than there can be");
    }
    this.#initialWindow = bytes;
  }
}
