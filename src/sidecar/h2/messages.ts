/** Bytes before each gRPC message: whether it is compressed, and its length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export const PREFIX_BYTES = 5;

/** The longest message taken. */
export const MAX_MESSAGE_BYTES = 4 * 1_024 * 1_024;

/** Why a message cannot be read. */
export type MessageFault = "compressed" | "too long";

/** Takes the messages of one stream. */
export interface MessageSink {
  /** One whole message: the bytes [from, to) of the buffer, which is another's after the call. */
  message(bytes: Buffer, from: number, to: number): void;
}

const NOTHING = Buffer.alloc(0);

/** Puts the pieces of one stream together to messages, where they do not come whole. */
export class MessageCutter {
  /** What is held of a message are its first bytes. */
  #held = NOTHING;
  #heldBytes = 0;

  /** True in the middle of a message. */
  get isPartial(): boolean {
    return this.#heldBytes > 0;
  }

  /** Takes the next bytes; tells the fault that makes the rest unreadable. */
  take(bytes: Buffer, sink: MessageSink): MessageFault | undefined {
    this.#hold(bytes);
    if (this.#heldBytes >= PREFIX_BYTES && this.#heldBytes < wholeBytes(this.#held)) return undefined;
    const all = this.#held.subarray(0, this.#heldBytes);
    this.#held = NOTHING;
    this.#heldBytes = 0;
    return this.#cut(all, sink);
  }

  /**
   * Copies: the chunk's own memory, a whole read of the socket, must not be held for a piece of it. Into room that doubles, so that
   * many small pieces cost no more than a few large ones.
   */
  #hold(bytes: Buffer): void {
    const needed = this.#heldBytes + bytes.length;
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#held.length));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldBytes);
    this.#heldBytes = needed;
  }

  #cut(bytes: Buffer, sink: MessageSink): MessageFault | undefined {
    let at = 0;
    while (bytes.length - at >= PREFIX_BYTES) {
      if (bytes[at] !== 0) return "compressed";
      const whole = PREFIX_BYTES + bytes.readUInt32BE(at + 1);
      if (whole > PREFIX_BYTES + MAX_MESSAGE_BYTES) return "too long";
      if (bytes.length - at < whole) break;
      sink.message(bytes, at + PREFIX_BYTES, at + whole);
      at += whole;
    }
    if (at === bytes.length) return undefined;
    this.#hold(bytes.subarray(at));
    return undefined;
  }
}

/** Bytes of the first message here, with its prefix; 0 where the prefix is a fault, which must be told at once. */
function wholeBytes(bytes: Buffer): number {
  const length = bytes.readUInt32BE(1);
  return bytes[0] === 0 && length <= MAX_MESSAGE_BYTES ? PREFIX_BYTES + length : 0;
}

/** A message with its prefix. */
export function withPrefix(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}
