import type { Duplex } from "node:stream";
import { addRoom, notOpen, pingAnswer, readSettings } from "./control.ts";
import { FrameReader } from "./frame-reader.ts";
import {
  CODE,
  ConnectionFault,
  DEFAULT_WINDOW,
  FLAG,
  FRAME,
  frame,
  goaway,
  MAX_WINDOW,
  paddedEnd,
  rstStream,
  SETTING,
  StreamFault,
  settings,
  windowUpdate,
} from "./frames.ts";
import { HeaderBlocks, type Route } from "./header-blocks.ts";
import { Output } from "./output.ts";
import type { Link, Stream } from "./stream.ts";
import { MAX_STREAMS, Streams } from "./streams.ts";

/** What a connection asks of its server. */
export interface ConnectionPorts {
  readonly route: Route;
  /** A method's handler threw. */
  surprise(error: unknown): void;
  /** The peer broke the protocol, and the connection is over. */
  fault(fault: ConnectionFault): void;
  /** Its socket is closed; called once. */
  closed(connection: Connection): void;
}

const STREAM_WINDOW = 1_048_576;
const CONNECTION_WINDOW = 16_777_216;
/** So much may wait for a slow reader before nothing more is read from it. */
const MAX_UNSENT_BYTES = 1_048_576;
/** So much may wait for room that the peer does not give; more is an attack. */
const MAX_WAITING_BYTES = 16_777_216;
/** A peer that does not read has this long to take the last words. */
const LINGER_MS = 1_000;

/** One HTTP/2 connection of a gRPC client (RFC 9113): as much of the protocol as gRPC uses. */
export class Connection implements Link {
  readonly output: Output;
  window = DEFAULT_WINDOW;
  waitingBytes = 0;
  isFinishing = false;
  readonly #socket: Duplex;
  readonly #ports: ConnectionPorts;
  readonly #reader: FrameReader;
  readonly #blocks: HeaderBlocks;
  readonly #streams = new Streams();
  #unacknowledged = 0;
  #isOver = false;
  #lingering: NodeJS.Timeout | undefined;

  constructor(socket: Duplex, ports: ConnectionPorts) {
    this.#socket = socket;
    this.#ports = ports;
    this.#blocks = new HeaderBlocks(ports.route);
    this.#reader = new FrameReader((head, bytes, from, to) => this.#frame(head.type, head.flags, head.stream, bytes.subarray(from, to)));
    this.output = new Output((bytes) => {
      if (socket.writable) socket.write(bytes);
    });
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("drain", () => socket.resume());
    socket.on("end", () => this.close());
    // The peer may go at any time; "close" follows.
    socket.on("error", () => this.close());
    socket.on("close", () => {
      clearTimeout(this.#lingering);
      this.#forget();
      ports.closed(this);
    });
    this.output.add(
      settings([
        [SETTING.maxConcurrentStreams, MAX_STREAMS],
        [SETTING.initialWindow, STREAM_WINDOW],
      ]),
    );
    this.output.add(windowUpdate(0, CONNECTION_WINDOW - DEFAULT_WINDOW));
    this.flush();
  }

  blocked(stream: Stream): void {
    this.#streams.wait(stream);
  }

  reset(stream: number, code: number): void {
    this.output.add(rstStream(stream, code));
    this.#streams.reset(stream);
  }

  surprise(error: unknown): void {
    this.#ports.surprise(error);
  }

  gone(stream: Stream): void {
    this.#streams.gone(stream);
    if (this.isFinishing && this.#streams.isEmpty) this.#end();
  }

  /** Sends what there is; for answers given outside of a read, as by a timer. */
  flush(): void {
    this.output.flush();
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) this.#socket.pause();
  }

  /** Asks the peer to open no more streams; those already on their way are served. */
  drain(): void {
    this.output.add(goaway(MAX_WINDOW, CODE.noError));
    this.flush();
  }

  /** Takes no more streams, and closes when those at hand have ended. */
  finish(): void {
    this.isFinishing = true;
    this.output.add(goaway(this.#streams.last, CODE.noError));
    this.flush();
    if (this.#streams.isEmpty) this.#end();
  }

  /** Ends everything now. */
  close(): void {
    this.#forget();
    this.#socket.destroy();
  }

  #end(): void {
    if (this.#lingering !== undefined) return;
    this.flush();
    this.#lingering = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.end(() => this.#socket.destroy());
  }

  #forget(): void {
    this.#isOver = true;
    this.#streams.goneAll();
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#reader.take(chunk);
      this.flush();
    } catch (error) {
      // A surprise of our own costs this connection, which Envoy opens anew, and never the process.
      if (error instanceof ConnectionFault) this.#ports.fault(error);
      else this.#ports.surprise(error);
      this.output.add(goaway(this.#streams.last, error instanceof ConnectionFault ? error.code : CODE.internal));
      this.#end();
      this.#forget();
    }
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    this.#blocks.expect(type, id);
    try {
      this.#handle(type, flags, id, payload);
    } catch (error) {
      if (!(error instanceof StreamFault)) throw error;
      this.reset(error.stream, error.code);
      this.#streams.find(error.stream)?.gone();
    }
  }

  #handle(type: number, flags: number, id: number, payload: Buffer): void {
    switch (type) {
      case FRAME.data:
        return this.#data(id, flags, payload);
      case FRAME.headers:
      case FRAME.continuation:
        return this.#headers(type, flags, id, payload);
      case FRAME.rstStream:
        return this.#reset(id, payload);
      case FRAME.settings:
        return this.#settings(id, flags, payload);
      case FRAME.ping:
        return this.output.add(pingAnswer(id, flags, payload));
      case FRAME.windowUpdate:
        return this.#windowUpdate(id, payload);
      case FRAME.pushPromise:
        throw new ConnectionFault(CODE.protocol, "a client does not push");
      // Priorities are no business of ours, a GOAWAY of the client announces the end that follows, and other frames are to be ignored.
    }
  }

  #data(id: number, flags: number, payload: Buffer): void {
    this.#unacknowledged += payload.length;
    if (this.#unacknowledged >= CONNECTION_WINDOW / 2) {
      this.output.add(windowUpdate(0, this.#unacknowledged));
      this.#unacknowledged = 0;
    }
    const stream = this.#streams.find(id);
    if (stream === undefined && this.#streams.isReset(id)) return;
    if (stream === undefined || stream.isRemoteEnded) throw notOpen(id, this.#streams.last);
    stream.unacknowledged += payload.length;
    const isLast = (flags & FLAG.endStream) !== 0;
    if (stream.unacknowledged >= STREAM_WINDOW / 2 && !isLast) {
      this.output.add(windowUpdate(id, stream.unacknowledged));
      stream.unacknowledged = 0;
    }
    if ((flags & FLAG.padded) === 0) stream.data(payload);
    else stream.data(payload.subarray(1, paddedEnd(payload, 0, payload.length)));
    if (isLast) stream.remoteEnd();
    if (this.waitingBytes > MAX_WAITING_BYTES) throw new ConnectionFault(CODE.calm, "too many answers wait for room");
  }

  #headers(type: number, flags: number, id: number, payload: Buffer): void {
    const found = type === FRAME.headers ? this.#blocks.begin(flags, id, payload) : this.#blocks.go(flags, payload);
    if (found === undefined) return;
    const open = this.#streams.find(id);
    if (open !== undefined) {
      if (open.isRemoteEnded) throw notOpen(id, this.#streams.last);
      if (!found.isLast) throw new StreamFault(id, CODE.protocol, "trailers do not end the stream");
      open.remoteEnd();
    } else if (!this.#streams.isReset(id)) {
      const stream = this.#streams.open(id, this, found.method);
      if (found.isLast) stream.remoteEnd();
    }
  }

  #reset(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ConnectionFault(CODE.frameSize, "a reset has four bytes");
    if (id === 0 || id > this.#streams.last) throw new ConnectionFault(CODE.protocol, `stream ${id} was never opened`);
    this.#streams.find(id)?.gone(true);
  }

  #settings(id: number, flags: number, payload: Buffer): void {
    const { isAck, initialWindow } = readSettings(id, flags, payload);
    if (isAck) return;
    if (initialWindow !== undefined) this.#streams.setInitialWindow(initialWindow);
    this.output.add(frame(FRAME.settings, FLAG.ack, 0));
    this.#streams.proceed();
  }

  #windowUpdate(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ConnectionFault(CODE.frameSize, "a window update has four bytes");
    if (id > this.#streams.last) throw new ConnectionFault(CODE.protocol, `stream ${id} was never opened`);
    const to: { window: number } | undefined = id === 0 ? this : this.#streams.find(id);
    if (to === undefined) return;
    addRoom(to, id, payload);
    this.#streams.proceed();
  }
}
