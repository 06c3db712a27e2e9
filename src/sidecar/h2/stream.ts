import { CODE, FLAG, FRAME, HEAD_BYTES, MAX_FRAME_BYTES, writeHead } from "./frames.ts";
import { encodeLiterals } from "./hpack.ts";
import { MAX_MESSAGE_BYTES, MessageCutter, type MessageFault, type MessageSink, PREFIX_BYTES, withPrefix } from "./messages.ts";
import type { Output } from "./output.ts";
import { messageOf, OPENING, type Prepared, writeNumber } from "./prepared.ts";

/** gRPC status codes that the server itself gives. */
export const STATUS = { ok: 0, resourceExhausted: 8, unimplemented: 12, internal: 13 } as const;

/** What a method may do with its stream. */
export interface Call {
  /** Sends a message. Nothing goes out after the end. */
  send(message: Uint8Array): void;
  /** Sends a message that was framed before; `number` is written into it where it has a place for one. */
  sendPrepared(prepared: Prepared, number: number): void;
  /** Ends the stream with a gRPC status; the text is ASCII. */
  end(status?: number, text?: string): void;
  /** Ends this side with status OK, and goes on taking what is on its way until the client has ended too. */
  endGently(): void;
  /** Sends now what was said outside of an answer to what came. */
  flush(): void;
}

/** What a method does with what comes. */
export interface CallHandler extends MessageSink {
  /** The client has sent everything. */
  halfClosed(): void;
  /** The stream is gone, however it ended; called once. */
  closed(isReset: boolean): void;
}

/** Starts one stream. */
export type Method = (call: Call) => CallHandler;

/** What a stream needs of its connection. */
export interface Link {
  readonly output: Output;
  /** Bytes of DATA that the peer takes on the whole connection. */
  window: number;
  /** Bytes of DATA that wait until the peer takes more, of all streams. */
  waitingBytes: number;
  /** No more streams are taken. */
  readonly isFinishing: boolean;
  /** This stream waits until the peer takes more. */
  blocked(stream: Stream): void;
  /** Sends RST_STREAM. */
  reset(stream: number, code: number): void;
  /** Both sides have ended. */
  gone(stream: Stream): void;
  /** A method's handler threw; its stream ends with `internal`. */
  surprise(error: unknown): void;
  flush(): void;
}

const OK_TRAILERS = encodeLiterals([["grpc-status", "0"]]);

/** One stream of a connection: messages in, messages out, a status at the end. */
export class Stream implements Call {
  readonly id: number;
  /** Bytes of DATA that the peer takes on this stream; may be negative (RFC 9113, section 6.9.2). */
  window: number;
  /** Received, and not yet given back to the peer's window. */
  unacknowledged = 0;
  isRemoteEnded = false;
  readonly #link: Link;
  readonly #handler: CallHandler;
  #cutter: MessageCutter | undefined;
  #isOpened = false;
  #isEnded = false;
  #isListening = false;
  #isGone = false;
  #waiting: Buffer[] = [];
  #trailers: Buffer | undefined;

  constructor(id: number, link: Link, window: number, method: Method) {
    this.id = id;
    this.#link = link;
    this.window = window;
    this.#handler = method(this);
  }

  /** What a DATA frame brings; a message that comes whole and alone, as nearly all do, is not copied. */
  data(bytes: Buffer): void {
    if (this.#isEnded && !this.#isListening) return;
    const isWhole = this.#cutter === undefined && bytes.length >= PREFIX_BYTES && bytes[0] === 0;
    try {
      if (isWhole && bytes.readUInt32BE(1) === bytes.length - PREFIX_BYTES) {
        this.#handler.message(bytes, PREFIX_BYTES, bytes.length);
        return;
      }
      this.#cutter ??= new MessageCutter();
      this.#fault(this.#cutter.take(bytes, this.#handler));
    } catch (error) {
      this.#surprise(error);
    }
  }

  /** The peer has ended its side. */
  remoteEnd(): void {
    this.isRemoteEnded = true;
    if (this.#isEnded) {
      if (this.#trailers === undefined) this.gone();
    } else if (this.#cutter?.isPartial === true) this.end(STATUS.internal, "the last message is cut off");
    else {
      try {
        this.#handler.halfClosed();
      } catch (error) {
        this.#surprise(error);
      }
    }
  }

  sendPrepared(prepared: Prepared, number: number): void {
    const { bytes, dataAt } = prepared;
    const body = bytes.length - dataAt - HEAD_BYTES;
    if (this.#isOpened || this.#isEnded || body > this.window || body > this.#link.window) {
      this.send(messageOf(prepared, number));
      return;
    }
    const { output } = this.#link;
    const at = output.reserve(bytes.length);
    const { slab } = output;
    bytes.copy(slab, at);
    slab.writeUInt32BE(this.id, at + 5);
    slab.writeUInt32BE(this.id, at + dataAt + 5);
    writeNumber(prepared, number, slab, at);
    this.#isOpened = true;
    this.window -= body;
    this.#link.window -= body;
  }

  send(message: Uint8Array): void {
    if (this.#isEnded) return;
    if (!this.#isOpened) this.#headers(OPENING, FLAG.endHeaders);
    this.#isOpened = true;
    const body = withPrefix(message);
    this.#waiting.push(body);
    this.#link.waitingBytes += body.length;
    this.proceed();
  }

  end(status: number = STATUS.ok, text = ""): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const trailers =
      status === STATUS.ok
        ? OK_TRAILERS
        : encodeLiterals([
            ["grpc-status", String(status)],
            ["grpc-message", text],
          ]);
    this.#trailers = this.#isOpened ? trailers : Buffer.concat([OPENING, trailers]);
    this.proceed();
  }

  endGently(): void {
    if (this.#isEnded) return;
    this.#isListening = true;
    this.end();
  }

  flush(): void {
    this.#link.flush();
  }

  /** Sends what waits, as far as the peer takes it. */
  proceed(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const room = Math.min(next.length, this.window, this.#link.window, MAX_FRAME_BYTES);
      if (room <= 0) {
        this.#link.blocked(this);
        return;
      }
      const { output } = this.#link;
      const at = output.reserve(HEAD_BYTES + room);
      writeHead(output.slab, at, { length: room, type: FRAME.data, flags: 0, stream: this.id });
      output.slab.set(next.subarray(0, room), at + HEAD_BYTES);
      this.window -= room;
      this.#link.window -= room;
      this.#link.waitingBytes -= room;
      if (room === next.length) this.#waiting.shift();
      else this.#waiting[0] = next.subarray(room);
    }
    if (this.#trailers === undefined) return;
    this.#headers(this.#trailers, FLAG.endHeaders | FLAG.endStream);
    this.#trailers = undefined;
    if (this.#isListening && !this.isRemoteEnded) return;
    // The answer is whole, and the client need not go on (RFC 9113, section 8.1).
    if (!this.isRemoteEnded) this.#link.reset(this.id, CODE.noError);
    this.gone();
  }

  /** Ends the stream without a word more; `isReset` when the client did. */
  gone(isReset = false): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#isEnded = true;
    this.#isListening = false;
    for (const bytes of this.#waiting) this.#link.waitingBytes -= bytes.length;
    this.#waiting = [];
    this.#trailers = undefined;
    this.#link.gone(this);
    this.#handler.closed(isReset);
  }

  #headers(block: Buffer, flags: number): void {
    const { output } = this.#link;
    const at = output.reserve(HEAD_BYTES + block.length);
    writeHead(output.slab, at, { length: block.length, type: FRAME.headers, flags, stream: this.id });
    output.slab.set(block, at + HEAD_BYTES);
  }

  #surprise(error: unknown): void {
    this.#link.surprise(error);
    this.end(STATUS.internal, "the server met a surprise");
  }

  #fault(fault: MessageFault | undefined): void {
    if (fault === "compressed") this.end(STATUS.unimplemented, "messages must not be compressed");
    if (fault === "too long") this.end(STATUS.resourceExhausted, `a message is longer than ${MAX_MESSAGE_BYTES} bytes`);
  }
}
