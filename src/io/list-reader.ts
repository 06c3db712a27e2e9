import { MAX_USERS, PackedReader, type UserTable, UserTableBuilder } from "../contract/user-lists.ts";
import { EntryFault } from "./entry-scanner.ts";

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN_LIST, CLOSE_LIST] = [0x22, 0x5c, 0x2c, 0x3a, 0x5b, 0x5d];
const LONGEST_KEY = 16;
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Something that takes the bytes of a list. */
interface ListTaker {
  /** Answers with the index of the first byte that is not the list's own, or with the chunk's length. */
  take(chunk: Buffer, from: number): number;
  finishing(): Generator<void, UserTable>;
}

/**
 * Reads JSON that lists many users, and turns each list into a table while its bytes come in. In the text that is left, such a
 * list is empty: `"userHashes":[]` or `"packedUsers":""`. Throws a EntryFault where a list is none.
 */
export class ListReader {
  readonly #lists: ListTaker[] = [];
  readonly #pieces: Buffer[] = [];
  #list: ListTaker | undefined;
  #inText = false;
  #isEscaped = false;
  /** The text that ended last, as far as it may be a key, and the key whose value comes next. */
  #last = "";
  #key = "";

  push(chunk: Buffer): void {
    let keptFrom = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.#list !== undefined) {
        at = this.#list.take(chunk, at);
        if (at === chunk.length) return;
        this.#lists.push(this.#list);
        this.#list = undefined;
        keptFrom = at;
        continue;
      }
      this.#takePlain(chunk[at] ?? 0);
      // The chunk's memory is used again.
      if (this.#list !== undefined) this.#pieces.push(Buffer.from(chunk.subarray(keptFrom, at + 1)));
    }
    if (this.#list === undefined) this.#pieces.push(Buffer.from(chunk.subarray(keptFrom)));
  }

  /** What is left of the text, and its lists in their order, made in steps. Whether it is JSON is not looked at. */
  *finishing(): Generator<void, { text: string; tables: UserTable[] }> {
    const tables: UserTable[] = [];
    // One at a time is held twice.
    for (let list = this.#lists.shift(); list !== undefined; list = this.#lists.shift()) tables.push(yield* list.finishing());
    return { text: Buffer.concat(this.#pieces).toString("utf8"), tables };
  }

  #takePlain(byte: number): void {
    if (this.#inText) return this.#takeText(byte);
    if (isBlank(byte)) return;
    const key = this.#key;
    this.#key = "";
    if (byte === COLON) this.#key = this.#last;
    else if (byte === OPEN_LIST && key === "userHashes") this.#list = new HashTaker();
    else if (byte === QUOTE && key === "packedUsers") this.#list = new PackedTaker();
    else if (byte === QUOTE) {
      this.#inText = true;
      this.#last = "";
    }
  }

  #takeText(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) {
      this.#inText = false;
      return;
    }
    if (this.#last.length < LONGEST_KEY) this.#last += String.fromCharCode(byte);
  }
}

/** Hashes in quotes, 16 hex digits each, between commas. */
class HashTaker implements ListTaker {
  readonly #builder = new UserTableBuilder();
  #awaits: "first" | "hash" | "digit" | "comma" = "first";
  #digits = 0;
  #high = 0;
  #low = 0;

  take(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (this.#awaits === "digit") at = this.#takeHash(chunk, at) - 1;
      else if (byte === CLOSE_LIST && this.#awaits === "comma") return at;
      else if (byte === COMMA && this.#awaits === "comma") this.#awaits = "hash";
      else if (byte === QUOTE && this.#awaits !== "comma") {
        this.#awaits = "digit";
        this.#digits = 0;
      } else if (!isBlank(byte)) throw new EntryFault(NO_HASHES);
    }
    return chunk.length;
  }

  *finishing(): Generator<void, UserTable> {
    return checked(yield* this.#builder.finishing(), NO_HASHES);
  }

  /** Digits up to the closing quote; returns the index after what was taken. */
  #takeHash(chunk: Buffer, from: number): number {
    let [digits, high, low] = [this.#digits, this.#high, this.#low];
    let at = from;
    for (; at < chunk.length; at += 1) {
      const digit = HEX[chunk[at] ?? 0] ?? 16;
      if (digit === 16 || digits === 16) break;
      if (digits < 8) high = (high << 4) | digit;
      else low = (low << 4) | digit;
      digits += 1;
    }
    [this.#digits, this.#high, this.#low] = [digits, high, low];
    if (at === chunk.length) return at;
    if (digits !== 16 || chunk[at] !== QUOTE) throw new EntryFault(NO_HASHES);
    this.#builder.add(high >>> 0, low >>> 0);
    this.#awaits = "comma";
    return at + 1;
  }
}

class PackedTaker implements ListTaker {
  readonly #reader = new PackedReader();

  take(chunk: Buffer, from: number): number {
    const end = this.#reader.take(chunk, from);
    if (end < chunk.length && chunk[end] !== QUOTE) throw new EntryFault(NOT_PACKED);
    return end;
  }

  *finishing(): Generator<void, UserTable> {
    return checked(yield* this.#reader.finishing(), NOT_PACKED);
  }
}

const NO_HASHES = "userHashes: not a list of 16 hex digits each; list keys as they are under users";
const NOT_PACKED = "packedUsers: not a packed list of users; list them under userHashes";

function checked(table: UserTable | undefined, problem: string): UserTable {
  if (table === undefined) throw new EntryFault(problem);
  if (table.length > MAX_USERS * 2) throw new EntryFault(`${problem.split(":")[0]}: more than ${MAX_USERS} users`);
  return table;
}

/** Value of a lower-case hex digit by its character code; 16 for what is none. */
const HEX = Uint8Array.from({ length: 256 }, (_, code) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(code));
  return digit === -1 ? 16 : digit;
});
