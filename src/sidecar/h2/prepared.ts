import { FLAG, FRAME, HEAD_BYTES, MAX_FRAME_BYTES, writeHead } from "./frames.ts";
import { encodeLiterals } from "./hpack.ts";
import { PREFIX_BYTES, withPrefix } from "./messages.ts";

/** The first frames of an answer, HEADERS and DATA, with stream numbers left out. */
export interface Prepared {
  readonly bytes: Buffer;
  /** Where the DATA frame begins. */
  readonly dataAt: number;
  /** Where a number goes, as a little-endian double; -1 without one. */
  readonly numberAt: number;
}

const RESPONSE_HEADERS = encodeLiterals([["content-type", "application/grpc"]]);
/** `:status: 200` of HPACK's static table. */
const STATUS_200 = Buffer.from([0x88]);
/** The headers with which every answer begins. */
export const OPENING = Buffer.concat([STATUS_200, RESPONSE_HEADERS]);

/** Frames a message ahead of time; `numberAt` is a position in the message. */
export function prepare(message: Uint8Array, numberAt = -1): Prepared {
  const body = withPrefix(message);
  if (body.length > MAX_FRAME_BYTES) throw new RangeError(`an answer of ${body.length} bytes does not fit a frame`);
  const dataAt = HEAD_BYTES + OPENING.length;
  const bytes = Buffer.alloc(dataAt + HEAD_BYTES + body.length);
  writeHead(bytes, 0, { length: OPENING.length, type: FRAME.headers, flags: FLAG.endHeaders, stream: 0 });
  bytes.set(OPENING, HEAD_BYTES);
  writeHead(bytes, dataAt, { length: body.length, type: FRAME.data, flags: 0, stream: 0 });
  bytes.set(body, dataAt + HEAD_BYTES);
  return { bytes, dataAt, numberAt: numberAt === -1 ? -1 : dataAt + HEAD_BYTES + PREFIX_BYTES + numberAt };
}

/** The message that was framed, with its number. */
export function messageOf({ bytes, dataAt, numberAt }: Prepared, number: number): Buffer {
  const from = dataAt + HEAD_BYTES + PREFIX_BYTES;
  const message = Buffer.from(bytes.subarray(from));
  if (numberAt !== -1) message.writeDoubleLE(number, numberAt - from);
  return message;
}
