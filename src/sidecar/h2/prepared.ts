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
  /** Where it goes as eight hex digits; -1 for nowhere. */
  readonly digitsAt: number;
}

/** Where in a message the number goes; -1 for nowhere. */
export type NumberPlaces = Pick<Prepared, "numberAt" | "digitsAt">;

/** No number anywhere. */
export const NOWHERE: NumberPlaces = { numberAt: -1, digitsAt: -1 };

const RESPONSE_HEADERS = encodeLiterals([["content-type", "application/grpc"]]);
/** `:status: 200` of HPACK's static table. */
const STATUS_200 = Buffer.from([0x88]);
/** The headers with which every answer begins. */
export const OPENING = Buffer.concat([STATUS_200, RESPONSE_HEADERS]);

/** Frames a message ahead of time; the places are positions in the message. */
export function prepare(message: Uint8Array, places = NOWHERE): Prepared {
  const body = withPrefix(message);
  if (body.length > MAX_FRAME_BYTES) throw new RangeError(`an answer of ${body.length} bytes does not fit a frame`);
  const dataAt = HEAD_BYTES + OPENING.length;
  const bytes = Buffer.alloc(dataAt + HEAD_BYTES + body.length);
  writeHead(bytes, 0, { length: OPENING.length, type: FRAME.headers, flags: FLAG.endHeaders, stream: 0 });
  bytes.set(OPENING, HEAD_BYTES);
  writeHead(bytes, dataAt, { length: body.length, type: FRAME.data, flags: 0, stream: 0 });
  bytes.set(body, dataAt + HEAD_BYTES);
  const placed = (at: number): number => (at === -1 ? -1 : dataAt + HEAD_BYTES + PREFIX_BYTES + at);
  return { bytes, dataAt, numberAt: placed(places.numberAt), digitsAt: placed(places.digitsAt) };
}

/** Writes the number into a copy of the bytes, which begins at `from`. */
export function writeNumber({ numberAt, digitsAt }: NumberPlaces, number: number, copy: Buffer, from: number): void {
  if (numberAt !== -1) copy.writeDoubleLE(number, from + numberAt);
  if (digitsAt !== -1) writeDigits(copy, from + digitsAt, number);
}

const HEX = Buffer.from("0123456789abcdef", "latin1");

function writeDigits(bytes: Buffer, at: number, number: number): void {
  for (let digit = 0; digit < 8; digit += 1) bytes[at + digit] = HEX[(number >>> (28 - 4 * digit)) & 15] ?? 0;
}

/** The message that was framed, with its number. */
export function messageOf(prepared: Prepared, number: number): Buffer {
  const { bytes, dataAt } = prepared;
  const from = dataAt + HEAD_BYTES + PREFIX_BYTES;
  const message = Buffer.from(bytes.subarray(from));
  writeNumber(prepared, number, message, -from);
  return message;
}
