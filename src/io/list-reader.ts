import { MAX_USERS } from "../contract/rollout.ts";
import { PackedReader, type UserTable, UserTableBuilder } from "../contract/user-lists.ts";
import { EntryFault } from "./entry-scanner.ts";

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN_LIST, CLOSE_LIST] = [0x22, 0x5c, 0x2c, 0x3a, 0x5b, 0x5d];
const LONGEST_KEY = 16;
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Something that takes the bytes of a list; true once the byte is the first that is not the list's own. */
interface ListTaker {
  take(byte: number): boolean;
  finish(): UserTable;
}

/**
 * Reads JSON that lists many users, and turns each list into a table while its bytes come in. In the text that is left, such a
 * list is empty: `"userHashes":[]` or `"packedUsers":""`. Throws a EntryFault where a list is none.
 */
export class ListReader {
  readonly tables: UserTable[] = [];
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
      const byte = chunk[at] ?? 0;
      if (this.#list !== undefined) {
        if (!this.#list.take(byte)) continue;
        this.tables.push(this.#list.finish());
        this.#list = undefined;
        keptFrom = at;
        continue;
      }
      this.#takePlain(byte);
      // The chunk's memory is used again.
      if (this.#list !== undefined) this.#pieces.push(Buffer.from(chunk.subarray(keptFrom, at + 1)));
    }
    if (this.#list === undefined) this.#pieces.push(Buffer.from(chunk.subarray(keptFrom)));
  }

  /** What is left of the text. Whether it is JSON is not looked at. */
  end(): string {
    return Buffer.concat(this.#pieces).toString("utf8");
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

  take(byte: number): boolean {
    if (this.#awaits === "digit") this.#digit(byte);
    else if (byte === CLOSE_LIST && this.#awaits === "comma") return true;
    else if (byte === COMMA && this.#awaits === "comma") this.#awaits = "hash";
    else if (byte === QUOTE && this.#awaits !== "comma") {
      this.#awaits = "digit";
      this.#digits = 0;
    } else if (!isBlank(byte)) throw new EntryFault(NO_HASHES);
    return false;
  }

  finish(): UserTable {
    return checked(this.#builder.finish(), NO_HASHES);
  }

  #digit(byte: number): void {
    if (this.#digits === 16 && byte === QUOTE) {
      this.#builder.add(this.#high >>> 0, this.#low >>> 0);
      this.#awaits = "comma";
      return;
    }
    const digit = hexDigit(byte);
    if (digit === -1 || this.#digits === 16) throw new EntryFault(NO_HASHES);
    if (this.#digits < 8) this.#high = (this.#high << 4) | digit;
    else this.#low = (this.#low << 4) | digit;
    this.#digits += 1;
  }
}

class PackedTaker implements ListTaker {
  readonly #reader = new PackedReader();

  take(byte: number): boolean {
    if (byte === QUOTE) return true;
    if (!this.#reader.digit(byte)) throw new EntryFault(NOT_PACKED);
    return false;
  }

  finish(): UserTable {
    return checked(this.#reader.finish(), NOT_PACKED);
  }
}

const NO_HASHES = "userHashes: not a list of 16 hex digits each; list keys as they are under users";
const NOT_PACKED = "packedUsers: not a packed list of users; list them under userHashes";

function checked(table: UserTable | undefined, problem: string): UserTable {
  if (table === undefined) throw new EntryFault(problem);
  if (table.length > MAX_USERS * 2) throw new EntryFault(`${problem.split(":")[0]}: more than ${MAX_USERS} users`);
  return table;
}

/** Value of a lower-case hex digit by its character code; -1 for what is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
}
