import { CODE, ConnectionFault, FLAG, FRAME, HEAD_BYTES, MAX_FRAME_BYTES, MAX_WINDOW, PREFACE } from "./frames.ts";

/** Takes one frame: its payload is the bytes [from, to), which are another's after the call. */
export type OnFrame = (head: FrameHead, bytes: Buffer, from: number, to: number) => void;

/** Written anew for each frame: read it within the call. */
export interface FrameHead {
  type: number;
  flags: number;
  stream: number;
}

const EMPTY = Buffer.alloc(0);

/** Cuts what a socket delivers into frames, after the client's preface, of which the first frame is a part: SETTINGS (RFC 9113, section 3.4). */
export class FrameReader {
  readonly #onFrame: OnFrame;
  readonly #head: FrameHead = { type: 0, flags: 0, stream: 0 };
  #rest: Buffer = EMPTY;
  #isGreeted = false;
  #hasSettings = false;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** Throws ConnectionFault. */
  take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = EMPTY;
    const used = this.#isGreeted ? 0 : this.#greet(bytes);
    const at = this.#isGreeted ? this.#frames(bytes, used) : 0;
    // A copy, so that a few bytes do not hold a whole read of the socket.
    if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at));
  }

  #greet(bytes: Buffer): number {
    const seen = Math.min(bytes.length, PREFACE.length);
    if (bytes.compare(PREFACE, 0, seen, 0, seen) !== 0) throw new ConnectionFault(CODE.protocol, "this is not HTTP/2");
    this.#isGreeted = seen === PREFACE.length;
    return seen;
  }

  /** Tells where the frame begins that is not whole yet. */
  #frames(bytes: Buffer, from: number): number {
    let at = from;
    const head = this.#head;
    while (bytes.length - at >= HEAD_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      if (length > MAX_FRAME_BYTES) throw new ConnectionFault(CODE.frameSize, `a frame of ${length} bytes is too long`);
      const end = at + HEAD_BYTES + length;
      if (end > bytes.length) break;
      head.type = bytes[at + 3] ?? 0;
      head.flags = bytes[at + 4] ?? 0;
      head.stream = bytes.readUInt32BE(at + 5) & MAX_WINDOW;
      if (!this.#hasSettings) {
        if (head.type !== FRAME.settings || (head.flags & FLAG.ack) !== 0)
          throw new ConnectionFault(CODE.protocol, "the client does not begin with its settings");
        this.#hasSettings = true;
      }
      this.#onFrame(head, bytes, at + HEAD_BYTES, end);
      at = end;
    }
    return at;
  }
}
