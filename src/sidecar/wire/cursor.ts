/** Bytes that are no message. */
export class WireError extends Error {
  override readonly name = "WireError";
}

const cutOff = (): WireError => new WireError("the message is cut off");

const BEYOND_32_BITS = 4_294_967_296;

/** Strings up to this many bytes are remembered, in so many places. */
const LONGEST_KNOWN = 32;
const KNOWN_SLOTS = 1_024;

/** Nesting that is still read; deeper is an attack. The reference decoder's limit too. */
export const MAX_DEPTH = 100;

/**
 * A place in protobuf bytes. It reads what protobufjs reads and refuses what it refuses, oddities included, so that the two can be
 * compared on any input: a known field is read by its schema whatever its wire type says, and a string that is cut off is shortened.
 */
export class Cursor {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  /** Of the message that is being read. */
  end = 0;
  readonly #strings: string[] = [];

  reset(bytes: Buffer, from: number, to: number): void {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
  }

  /** A varint cut to 32 bits. */
  uint32(): number {
    const { bytes, end } = this;
    const first = bytes[this.at] ?? 0;
    if (this.at < end && first < 128) {
      this.at += 1;
      return first;
    }
    if (end - this.at < 5) return this.#nearEnd();
    let value = first & 127;
    for (let index = 1; index < 5; index += 1) {
      const byte = bytes[this.at + index] ?? 0;
      value |= (byte & (index === 4 ? 15 : 127)) << (index * 7);
      if (byte < 128) {
        this.at += index + 1;
        return value >>> 0;
      }
    }
    // Ten bytes, whatever the last five are.
    this.at += 10;
    if (this.at > end) throw cutOff();
    return value >>> 0;
  }

  #nearEnd(): number {
    let value = 0;
    for (let index = 0; index < 4; index += 1) {
      const byte = this.#byte();
      value |= (byte & 127) << (index * 7);
      if (byte < 128) return value >>> 0;
    }
    throw cutOff();
  }

  /** A signed 64-bit varint, as a number. Near the end of its message at most four bytes count, as in the reference. */
  int64(): number {
    const isNearEnd = this.end - this.at <= 4;
    let low = 0;
    for (let index = 0; index < 4; index += 1) {
      const byte = this.#byte();
      low = (low | ((byte & 127) << (index * 7))) >>> 0;
      if (byte < 128 || (isNearEnd && index === 3)) return low;
    }
    const fifth = this.#byte();
    low = (low | ((fifth & 127) << 28)) >>> 0;
    let high = (fifth & 127) >> 4;
    for (let byte = fifth, shift = 3; byte >= 128; shift += 7) {
      if (shift > 31) throw new WireError("a number is too long");
      byte = this.#byte();
      high |= (byte & 127) << shift;
    }
    return high * BEYOND_32_BITS + low;
  }

  #byte(): number {
    if (this.at >= this.end) throw cutOff();
    this.at += 1;
    return this.bytes[this.at - 1] ?? 0;
  }

  double(): number {
    this.#skip(8);
    return this.bytes.readDoubleLE(this.at - 8);
  }

  /** Eight bytes as a number. */
  sfixed64(): number {
    this.#skip(8);
    return Number(this.bytes.readBigInt64LE(this.at - 8));
  }

  /** End of what begins here with its length; inside the message. */
  lengthEnd(): number {
    const end = this.uint32() + this.at;
    if (end > this.end) throw cutOff();
    return end;
  }

  /** End of a string, which the end of the message may cut. */
  stringEnd(): number {
    const end = this.uint32() + this.at;
    return end > this.end ? this.end : end;
  }

  string(): string {
    const end = this.stringEnd();
    const from = this.at;
    this.at = end;
    return end - from > LONGEST_KNOWN ? this.bytes.toString("utf8", from, end) : this.#known(from, end);
  }

  /** Parity of what begins here with its length; the cursor stays. */
  isOddAhead(): boolean {
    const from = this.at;
    const end = this.lengthEnd();
    let parity = 0;
    for (let at = this.at; at < end; at += 1) parity ^= this.bytes[at] ?? 0;
    this.at = from;
    return (parity & 1) === 1;
  }

  /** True when the bytes [from, to) are these letters, in ASCII. */
  isText(from: number, to: number, text: string): boolean {
    if (to - from !== text.length) return false;
    // From the end: names begin alike more often than they end alike.
    for (let index = text.length - 1; index >= 0; index -= 1) if (this.bytes[from + index] !== text.charCodeAt(index)) return false;
    return true;
  }

  /** A short string, most likely one of the few that come again and again: made once, then found by its letters. */
  #known(from: number, to: number): string {
    let slot = to - from;
    for (let at = from; at < to; at += 1) slot = (Math.imul(slot, 31) + (this.bytes[at] ?? 0)) | 0;
    slot &= KNOWN_SLOTS - 1;
    const known = this.#strings[slot];
    if (known !== undefined && this.isText(from, to, known)) return known;
    const made = this.bytes.toString("utf8", from, to);
    // Only where each byte is a letter, in ASCII: bytes of UTF-8 beyond it could be found by another string's letters.
    if (made.length === to - from) this.#strings[slot] = made;
    return made;
  }

  /** Passes over a field that no schema names. */
  skipType(wireType: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new WireError("nested too deeply");
    switch (wireType) {
      case 0:
        while (this.#byte() >= 128);
        return;
      case 1:
        return this.#skip(8);
      case 2:
        return this.#skip(this.uint32());
      case 3:
        for (let inner = this.uint32() & 7; inner !== 4; inner = this.uint32() & 7) this.skipType(inner, depth + 1);
        return;
      case 5:
        return this.#skip(4);
      default:
        throw new WireError(`wire type ${wireType} does not exist`);
    }
  }

  #skip(bytes: number): void {
    if (this.at + bytes > this.end) throw cutOff();
    this.at += bytes;
  }
}
