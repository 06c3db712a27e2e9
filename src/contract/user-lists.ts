/**
 * Users of a list as the 64 bits of their hashes, sorted, two words each in the order of the machine's 64-bit integers:
 * 8 bytes a user, found by binary search. `userHash` of the core makes the hashes.
 */
export type UserTable = Uint32Array;

/** Most users of one list, and so of a segment. */
export const MAX_USERS = 1_000_000;

/** 1 where the high half of a 64-bit integer stands second in memory, as on nearly all machines. */
const HIGH = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** Index of the high word of a pair; the low one stands at `LOW_WORD`. */
export const HIGH_WORD = HIGH;
export const LOW_WORD = 1 - HIGH;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const NO_DIGIT = 255;
/** Code of `=`. */
const PADDING = 61;
/** Long texts are taken piece by piece, so that nothing large is made of them. */
const PIECE = 65_536;

/** Value of a base64 digit by its character code. */
const DIGITS = Uint8Array.from({ length: 256 }, (_, code) => {
  const digit = ALPHABET.indexOf(String.fromCharCode(code));
  return digit === -1 ? NO_DIGIT : digit;
});

const BLOCK_WORDS = 65_536;

/** Takes hashes one after another and gives the table; a million of them cost no more than their 8 MB and one copy. */
export class UserTableBuilder {
  readonly #full: Uint32Array[] = [];
  #block = new Uint32Array(64);
  #used = 0;
  #high = 0;
  #low = 0;
  #isSorted = true;

  get size(): number {
    return this.#full.length * (BLOCK_WORDS / 2) + this.#used / 2;
  }

  /** Both words unsigned. */
  add(high: number, low: number): void {
    if (high < this.#high || (high === this.#high && low < this.#low)) this.#isSorted = false;
    this.#high = high;
    this.#low = low;
    if (this.#used === this.#block.length) this.#grow();
    this.#block[this.#used + HIGH_WORD] = high;
    this.#block[this.#used + LOW_WORD] = low;
    this.#used += 2;
  }

  finish(): UserTable {
    return inOneGo(this.finishing());
  }

  /** Makes the table in steps of less than a millisecond: the copy of 8 MB takes many. */
  *finishing(): Generator<void, UserTable> {
    const table = new Uint32Array(this.size * 2);
    let at = 0;
    for (const block of this.#full) {
      table.set(block, at);
      at += BLOCK_WORDS;
      yield;
    }
    table.set(this.#block.subarray(0, this.#used), at);
    if (!this.#isSorted) new BigUint64Array(table.buffer).sort();
    return table;
  }

  /** Small lists stay small; large ones go on in blocks, which are never copied but once. */
  #grow(): void {
    if (this.#block.length === BLOCK_WORDS) {
      this.#full.push(this.#block);
      this.#block = new Uint32Array(BLOCK_WORDS);
      this.#used = 0;
      return;
    }
    const grown = new Uint32Array(this.#block.length * 4);
    grown.set(this.#block);
    this.#block = grown;
  }
}

/** Reads base64 digits as they come: eight bytes, the highest first, are one user. */
export class PackedReader {
  readonly #builder = new UserTableBuilder();
  /** Bits that no byte has taken yet, and how many they are. */
  #bits = 0;
  #held = 0;
  #bytes = 0;
  #high = 0;
  #low = 0;
  #padding = 0;

  /** Takes base64 digits as character codes; returns the index of the first code that is none, or their number. */
  take(codes: Uint8Array, from: number): number {
    // Local copies: ten million digits pass through here.
    let [bits, held, bytes, high, low] = [this.#bits, this.#held, this.#bytes, this.#high, this.#low];
    let at = from;
    for (; at < codes.length && this.#padding === 0; at += 1) {
      const value = DIGITS[codes[at] ?? 0] ?? NO_DIGIT;
      if (value > 63) break;
      bits = (bits << 6) | value;
      held += 6;
      if (held < 8) continue;
      held -= 8;
      high = (high << 8) | (low >>> 24);
      low = (low << 8) | ((bits >>> held) & 0xff);
      bits &= 0xff;
      bytes += 1;
      if ((bytes & 7) === 0) this.#builder.add(high >>> 0, low >>> 0);
    }
    [this.#bits, this.#held, this.#bytes, this.#high, this.#low] = [bits, held, bytes, high, low];
    for (; at < codes.length && codes[at] === PADDING; at += 1) this.#padding += 1;
    return at;
  }

  /** The table, in steps; undefined where the text ends within a user, holds none, or is padded wrongly. */
  *finishing(): Generator<void, UserTable | undefined> {
    const { size } = this.#builder;
    const isWhole = this.#bytes % 8 === 0 && size > 0;
    // Three bytes are four digits, so that the padding follows from the size.
    return isWhole && this.#padding === (3 - ((size * 8) % 3)) % 3 ? yield* this.#builder.finishing() : undefined;
  }
}

function inOneGo<Result>(steps: Generator<void, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** A packed list as a table; undefined for what is none. */
export function unpackUsers(packed: string): UserTable | undefined {
  const reader = new PackedReader();
  const encoder = new TextEncoder();
  for (let from = 0; from < packed.length; from += PIECE) {
    const codes = encoder.encode(packed.slice(from, from + PIECE));
    if (reader.take(codes, 0) < codes.length) return undefined;
  }
  return inOneGo(reader.finishing());
}

/** A table of hashes as 16 hex digits, in any order. */
export function tableOfHashes(hashes: Iterable<string>): UserTable {
  const builder = new UserTableBuilder();
  for (const hash of hashes) builder.add(Number.parseInt(hash.slice(0, 8), 16), Number.parseInt(hash.slice(8), 16));
  return builder.finish();
}

/** A table as text: base64 of the sorted hashes, the highest byte first; 10.7 characters a user. */
export function packUsers(table: UserTable): string {
  const pieces: string[] = [];
  let piece = "";
  let bits = 0;
  let held = 0;
  const word = (value: number): void => {
    for (const shift of [24, 16, 8, 0]) {
      bits = (bits << 8) | ((value >>> shift) & 0xff);
      held += 8;
      while (held >= 6) {
        held -= 6;
        piece += ALPHABET[(bits >>> held) & 63];
      }
      bits &= 63;
    }
  };
  for (let at = 0; at < table.length; at += 2) {
    word(table[at + HIGH_WORD] ?? 0);
    word(table[at + LOW_WORD] ?? 0);
    if (piece.length > 8_192) {
      pieces.push(piece);
      piece = "";
    }
  }
  if (held > 0) piece += ALPHABET[(bits << (6 - held)) & 63];
  const text = pieces.join("") + piece;
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}
