import { Duplex } from "node:stream";
import { Connection } from "../../src/sidecar/h2/connection.ts";
import { FLAG, FRAME, frame, PREFACE, settings } from "../../src/sidecar/h2/frames.ts";
import { encodeLiterals, type Header } from "../../src/sidecar/h2/hpack.ts";
import { withPrefix } from "../../src/sidecar/h2/messages.ts";
import type { Call, CallHandler, Method } from "../../src/sidecar/h2/stream.ts";

/** A frame as a client sees it. */
export interface SeenFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** What happened on the server's side of the connection. */
export interface ServerSide {
  /** Messages of all streams, as text. */
  readonly messages: string[];
  /** Streams by how often they were told to be gone. */
  closed: number;
  halfClosed: number;
  resets: number;
  isOver: boolean;
  /** Set to let the next stream's method throw. */
  cannotBegin: boolean;
  readonly faults: string[];
  readonly surprises: unknown[];
  /** Of the server's own socket. */
  readonly errors: Error[];
  readonly routed: (readonly Header[])[];
  readonly calls: Call[];
}

/** A client that writes and reads single frames, without a socket in between: what it sends is taken at once. */
export interface RawPeer {
  readonly server: ServerSide;
  readonly connection: Connection;
  send(...frames: Buffer[]): void;
  /** Opens a stream with the usual request headers. */
  open(stream: number, flags?: number): void;
  message(stream: number, text: string, flags?: number): void;
  /** Frames that came since the last look. */
  frames(): SeenFrame[];
  /** Makes the client stop reading, or read on. */
  setReading(isReading: boolean): void;
  isPaused(): boolean;
}

export const REQUEST: readonly Header[] = [
  [":method", "POST"],
  [":path", "/test"],
  ["content-type", "application/grpc"],
];

/** Answers each message with its own bytes, and ends when the client does. */
const echo =
  (server: ServerSide): Method =>
  (call) => {
    server.calls.push(call);
    if (server.cannotBegin) throw new Error("cannot begin");
    return {
      message(bytes, from, to) {
        const text = bytes.toString("latin1", from, to);
        server.messages.push(text);
        if (text === "throw") throw new Error("as asked");
        call.send(Buffer.from(text, "latin1"));
      },
      halfClosed() {
        server.halfClosed += 1;
        call.end();
      },
      closed(isReset) {
        server.closed += 1;
        if (isReset) server.resets += 1;
      },
    } satisfies CallHandler;
  };

/** Connects and greets; the server's greeting is read already. */
export function connectPeer({ greets = true, method }: { greets?: boolean; method?: Method } = {}): RawPeer {
  const server: ServerSide = {
    messages: [],
    closed: 0,
    halfClosed: 0,
    resets: 0,
    isOver: false,
    cannotBegin: false,
    faults: [],
    surprises: [],
    errors: [],
    routed: [],
    calls: [],
  };
  let received = Buffer.alloc(0);
  let isReading = true;
  const held: (() => void)[] = [];
  const socket = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      received = Buffer.concat([received, chunk]);
      if (isReading) done();
      else held.push(done);
    },
  });
  const connection = new Connection(socket, {
    route(headers) {
      server.routed.push(headers);
      return method ?? echo(server);
    },
    surprise: (error) => server.surprises.push(error),
    fault: ({ message }) => server.faults.push(message),
    closed: () => {
      server.isOver = true;
    },
  });
  socket.on("error", (error) => server.errors.push(error));
  const send = (...frames: Buffer[]): void => {
    if (frames.length > 0) socket.emit("data", Buffer.concat(frames));
  };
  const frames = (): SeenFrame[] => {
    const found: SeenFrame[] = [];
    while (received.length >= 9) {
      const end = 9 + received.readUIntBE(0, 3);
      if (received.length < end) break;
      found.push({
        type: received[3] ?? -1,
        flags: received[4] ?? 0,
        stream: received.readUInt32BE(5),
        payload: Buffer.from(received.subarray(9, end)),
      });
      received = received.subarray(end);
    }
    return found;
  };
  if (greets) {
    send(PREFACE, settings([]));
    frames();
  }
  return {
    server,
    connection,
    send,
    frames,
    open: (stream, flags = FLAG.endHeaders) => send(frame(FRAME.headers, flags, stream, encodeLiterals(REQUEST))),
    message: (stream, text, flags = 0) => send(frame(FRAME.data, flags, stream, withPrefix(Buffer.from(text, "latin1")))),
    setReading(next) {
      isReading = next;
      if (next) for (const done of held.splice(0)) done();
    },
    isPaused: () => socket.isPaused(),
  };
}

/** Text of the messages in DATA frames of one stream, which may be cut anywhere. */
export function messagesIn(frames: readonly SeenFrame[], stream: number): string[] {
  const bytes = Buffer.concat(frames.filter((seen) => seen.type === FRAME.data && seen.stream === stream).map(({ payload }) => payload));
  const found: string[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    found.push(bytes.toString("latin1", at + 5, end));
    at = end;
  }
  return found;
}

/** The gRPC status in the trailers of a stream; undefined before. */
export function statusIn(frames: readonly SeenFrame[], stream: number): number | undefined {
  const last = frames.find((seen) => seen.type === FRAME.headers && seen.stream === stream && (seen.flags & FLAG.endStream) !== 0);
  const text = last?.payload.toString("latin1") ?? "";
  const at = text.indexOf("grpc-status");
  return at === -1 ? undefined : Number(text.slice(at + 12, at + 12 + text.charCodeAt(at + 11)));
}
