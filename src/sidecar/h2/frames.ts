/** Frame types (RFC 9113, section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags; `endStream` and `ack` share a bit. */
export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** Error codes (RFC 9113, section 7). */
export const CODE = {
  noError: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const;

export const SETTING = { headerTableSize: 1, enablePush: 2, maxConcurrentStreams: 3, initialWindow: 4, maxFrame: 5 } as const;

/** What a client sends first. */
export const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Bytes of a frame's head. */
export const HEAD_BYTES = 9;

/** The longest frame taken, and the longest one sent: what every peer must take. */
export const MAX_FRAME_BYTES = 16_384;

/** Window of a connection or stream until somebody says otherwise. */
export const DEFAULT_WINDOW = 65_535;

export const MAX_WINDOW = 0x7fff_ffff;

/** A fault of the peer that ends the whole connection. */
export class ConnectionFault extends Error {
  override readonly name = "ConnectionFault";
  readonly code: number;

  constructor(code: number, problem: string) {
    super(problem);
    this.code = code;
  }
}

/** A fault of the peer that ends one stream. */
export class StreamFault extends Error {
  override readonly name = "StreamFault";
  readonly stream: number;
  readonly code: number;

  constructor(stream: number, code: number, problem: string) {
    super(problem);
    this.stream = stream;
    this.code = code;
  }
}

/** End of a padded payload [from, to), whose first byte counts the padding. Throws ConnectionFault. */
export function paddedEnd(bytes: Buffer, from: number, to: number): number {
  const end = to - (bytes[from] ?? 0);
  if (from >= to || end <= from) throw new ConnectionFault(CODE.protocol, "the padding is longer than its frame");
  return end;
}

/** Writes the head of a frame. */
export function writeHead(into: Buffer, at: number, head: { length: number; type: number; flags: number; stream: number }): void {
  into.writeUIntBE(head.length, at, 3);
  into[at + 3] = head.type;
  into[at + 4] = head.flags;
  into.writeUInt32BE(head.stream, at + 5);
}

/** A whole frame. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  writeHead(bytes, 0, { length: payload.length, type, flags, stream });
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

const uint32 = (...values: number[]): Buffer => {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
};

export const windowUpdate = (stream: number, bytes: number): Buffer => frame(FRAME.windowUpdate, 0, stream, uint32(bytes));
export const rstStream = (stream: number, code: number): Buffer => frame(FRAME.rstStream, 0, stream, uint32(code));
export const goaway = (lastStream: number, code: number): Buffer => frame(FRAME.goaway, 0, 0, uint32(lastStream, code));

/** A SETTINGS frame of identifier and value pairs. */
export function settings(pairs: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.allocUnsafe(pairs.length * 6);
  for (const [index, [identifier, value]] of pairs.entries()) {
    payload.writeUInt16BE(identifier, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(FRAME.settings, 0, 0, payload);
}
