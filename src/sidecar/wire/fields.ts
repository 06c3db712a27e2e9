import { type Cursor, MAX_DEPTH, WireError } from "./cursor.ts";

/** How a field is read; `long` is a varint of 64 bits, `flag` a bool. */
export type Scalar = "string" | "bytes" | "uint32" | "int32" | "flag" | "long" | "sfixed64" | "double";

/** A field of a message: what it holds, and whether it is kept or only checked. */
export interface Field {
  /** Name in the result; undefined when the field is only checked. */
  readonly name: string | undefined;
  readonly kind: Scalar | Message;
  readonly shape: "one" | "list" | "map";
  /** The keys of a map that are kept, in ASCII. */
  readonly keys: readonly string[];
}

/** Fields of a message by number. */
export type Message = (Field | undefined)[];

/** A message as read: values by field name, as proto-loader gives them, but maps as maps and enums as numbers. */
export type Kept = Record<string, unknown>;

/** Reads messages by their schemas; one for all messages of a sender, because it holds no message. */
export class MessageReader {
  readonly cursor: Cursor;
  /** Messages that are open around the cursor. */
  depth = 0;

  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }

  /** The message in the bytes [from, to). Throws WireError. */
  read(bytes: Buffer, [from, to]: readonly [number, number], schema: Message): Kept {
    this.cursor.reset(bytes, from, to);
    this.depth = 0;
    return this.#keep(to, schema);
  }

  /** A field that is only checked, its tag read. Throws WireError. */
  check(tag: number, schema: Message): void {
    const field = schema[tag >>> 3];
    if (field === undefined) this.cursor.skipType(tag & 7, this.depth - 1);
    else if (field.shape === "map") this.#checkEntry(field.kind);
    else this.#checkValue(field.kind);
  }

  #keep(end: number, schema: Message): Kept {
    const { cursor } = this;
    const outerEnd = this.#enter(end);
    const kept: Kept = {};
    while (cursor.at < end) {
      const tag = cursor.uint32();
      const field = schema[tag >>> 3];
      if (field?.name === undefined) this.check(tag, schema);
      else this.#keepField(field, field.name, kept);
    }
    this.#leave(end, outerEnd);
    return kept;
  }

  #checkMessage(end: number, schema: Message): void {
    const { cursor } = this;
    const outerEnd = this.#enter(end);
    while (cursor.at < end) this.check(cursor.uint32(), schema);
    this.#leave(end, outerEnd);
  }

  #enter(end: number): number {
    if (this.depth > MAX_DEPTH) throw new WireError("nested too deeply");
    this.depth += 1;
    const outerEnd = this.cursor.end;
    this.cursor.end = end;
    return outerEnd;
  }

  #leave(end: number, outerEnd: number): void {
    if (this.cursor.at !== end) throw new WireError("the message is cut off");
    this.cursor.end = outerEnd;
    this.depth -= 1;
  }

  #keepField({ kind, shape, keys }: Field, name: string, into: Kept): void {
    if (shape === "one") {
      into[name] = this.#value(kind);
      return;
    }
    const known = into[name];
    if (shape === "list") {
      if (Array.isArray(known)) known.push(this.#value(kind));
      else into[name] = [this.#value(kind)];
      return;
    }
    const { cursor } = this;
    const from = cursor.at;
    const { keyFrom, keyTo } = this.#checkEntry(kind);
    const key = keys.find((each) => cursor.isText(keyFrom, keyTo, each));
    if (key === undefined) return;
    const value = this.#entryValue(from, kind);
    if (known instanceof Map) known.set(key, value);
    else into[name] = new Map([[key, value]]);
  }

  /** Checks an entry of a map, and tells where its key lies. */
  #checkEntry(kind: Field["kind"]): { readonly keyFrom: number; readonly keyTo: number } {
    const { cursor } = this;
    const end = cursor.lengthEnd();
    const outerEnd = cursor.end;
    cursor.end = end;
    let keyFrom = end;
    let keyTo = end;
    let hasValue = kind === "string";
    while (cursor.at < end) {
      const tag = cursor.uint32();
      if (tag >>> 3 === 1) {
        keyTo = cursor.stringEnd();
        keyFrom = cursor.at;
        cursor.at = keyTo;
      } else if (tag >>> 3 === 2) {
        this.#checkValue(kind);
        hasValue = true;
      } else cursor.skipType(tag & 7, this.depth - 1);
    }
    if (cursor.at !== end) throw new WireError("an entry of a map is cut off");
    cursor.end = outerEnd;
    // As in the reference, an entry may lack its value only where that is a string.
    if (!hasValue) throw new WireError("an entry of a map has no value");
    return { keyFrom, keyTo };
  }

  /** The value of an entry that was checked, which begins at `from` with its length: the last value, as of any field. */
  #entryValue(from: number, kind: Field["kind"]): unknown {
    const { cursor } = this;
    cursor.at = from;
    const end = cursor.lengthEnd();
    const outerEnd = cursor.end;
    cursor.end = end;
    let value: unknown = "";
    while (cursor.at < end) {
      const tag = cursor.uint32();
      if (tag >>> 3 === 1) cursor.at = cursor.stringEnd();
      else if (tag >>> 3 === 2) value = this.#value(kind);
      else cursor.skipType(tag & 7, this.depth - 1);
    }
    cursor.end = outerEnd;
    return value;
  }

  #checkValue(kind: Field["kind"]): void {
    const { cursor } = this;
    switch (kind) {
      case "string":
        cursor.at = cursor.stringEnd();
        return;
      case "bytes":
        cursor.at = cursor.lengthEnd();
        return;
      case "uint32":
      case "int32":
      case "flag":
        cursor.uint32();
        return;
      case "long":
        cursor.int64();
        return;
      case "sfixed64":
      case "double":
        cursor.double();
        return;
      default:
        this.#checkMessage(cursor.lengthEnd(), kind);
    }
  }

  #value(kind: Field["kind"]): unknown {
    const { cursor } = this;
    switch (kind) {
      case "string":
        return cursor.string();
      case "bytes": {
        const from = cursor.at;
        cursor.at = cursor.lengthEnd();
        return cursor.bytes.subarray(from, cursor.at);
      }
      case "uint32":
        return cursor.uint32();
      case "int32":
        return cursor.uint32() | 0;
      case "flag":
        return cursor.uint32() !== 0;
      case "long":
        return cursor.int64();
      case "sfixed64":
        return cursor.sfixed64();
      case "double":
        return cursor.double();
      default:
        return this.#keep(cursor.lengthEnd(), kind);
    }
  }
}
