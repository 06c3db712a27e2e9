import { type Cursor, MAX_DEPTH, WireError } from "./cursor.ts";

/** How a field is read; `long` is a varint of 64 bits, `flag` a bool. */
export type Scalar = "string" | "bytes" | "uint32" | "int32" | "flag" | "long" | "sfixed64" | "double";

/** A field of a message: what it holds, and whether it is kept or only checked. */
export interface Field {
  /** Name in the result; undefined when the field is only checked. */
  readonly name: string | undefined;
  readonly kind: Scalar | Message;
  readonly shape: "one" | "list" | "map";
  /** The keys of a map that are kept; all when absent. */
  readonly keys: ReadonlySet<string> | undefined;
}

/** Fields of a message by number. */
export type Message = (Field | undefined)[];

/** A message as read: values by field name, as proto-loader gives them, but maps as maps and enums as numbers. */
export type Kept = Record<string, unknown>;

/** An entry of a map that was checked: `valueAt` is -1 where the value is missing. */
interface Entry {
  readonly key: string;
  readonly valueAt: number;
  readonly end: number;
}

const NOTHING: Kept = Object.freeze({});

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
    return this.message(to, schema, true);
  }

  /** The message that goes on from the cursor to `end`; not kept, it is only checked. Throws WireError. */
  message(end: number, schema: Message, isKept: boolean): Kept {
    if (this.depth > MAX_DEPTH) throw new WireError("nested too deeply");
    this.depth += 1;
    const { cursor } = this;
    const outerEnd = cursor.end;
    cursor.end = end;
    const kept: Kept = isKept ? {} : NOTHING;
    while (cursor.at < end) this.field(cursor.uint32(), schema, isKept ? kept : undefined);
    if (cursor.at !== end) throw new WireError("the message is cut off");
    cursor.end = outerEnd;
    this.depth -= 1;
    return kept;
  }

  /** The field whose tag was read; without `into` it is only checked. Throws WireError. */
  field(tag: number, schema: Message, into: Kept | undefined): void {
    const field = schema[tag >>> 3];
    if (field === undefined) this.cursor.skipType(tag & 7, this.depth - 1);
    else this.#field(field, into ?? NOTHING, into !== undefined && field.name !== undefined);
  }

  #field({ name = "", kind, shape, keys }: Field, into: Kept, isKept: boolean): void {
    switch (shape) {
      case "one": {
        const value = this.#value(kind, isKept);
        if (isKept) into[name] = value;
        return;
      }
      case "list": {
        const value = this.#value(kind, isKept);
        if (!isKept) return;
        const list = into[name];
        if (Array.isArray(list)) list.push(value);
        else into[name] = [value];
        return;
      }
      case "map": {
        const entry = this.#entry(kind, isKept);
        if (entry === undefined || (keys !== undefined && !keys.has(entry.key))) return;
        const map = into[name];
        const value = this.#again(kind, entry);
        if (map instanceof Map) map.set(entry.key, value);
        else into[name] = new Map([[entry.key, value]]);
        return;
      }
    }
  }

  /** Checks an entry of a map; tells its key and where its value stands, for only some keys' values are kept. */
  #entry(kind: Field["kind"], isKept: boolean): Entry | undefined {
    const { cursor } = this;
    const end = cursor.lengthEnd();
    const outerEnd = cursor.end;
    cursor.end = end;
    let key = "";
    let valueAt = -1;
    while (cursor.at < end) {
      const tag = cursor.uint32();
      if (tag >>> 3 === 1) {
        if (isKept) key = cursor.string();
        else cursor.at = cursor.stringEnd();
      } else if (tag >>> 3 === 2) {
        valueAt = cursor.at;
        this.#value(kind, false);
      } else cursor.skipType(tag & 7, this.depth - 1);
    }
    if (cursor.at !== end) throw new WireError("an entry of a map is cut off");
    cursor.end = outerEnd;
    // As in the reference, an entry may lack its value only where that is a string.
    if (valueAt === -1 && kind !== "string") throw new WireError("an entry of a map has no value");
    return isKept ? { key, valueAt, end } : undefined;
  }

  /** Reads a value that was checked before; the cursor stays behind it. */
  #again(kind: Field["kind"], { valueAt, end }: Entry): unknown {
    if (valueAt === -1) return "";
    const { cursor } = this;
    const { end: outerEnd } = cursor;
    cursor.at = valueAt;
    cursor.end = end;
    const value = this.#value(kind, true);
    cursor.at = end;
    cursor.end = outerEnd;
    return value;
  }

  #value(kind: Field["kind"], isKept: boolean): unknown {
    const { cursor } = this;
    switch (kind) {
      case "string":
        if (isKept) return cursor.string();
        cursor.at = cursor.stringEnd();
        return "";
      case "bytes": {
        const from = cursor.at;
        cursor.at = cursor.lengthEnd();
        return isKept ? cursor.bytes.subarray(from, cursor.at) : NOTHING;
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
        return this.message(cursor.lengthEnd(), kind, isKept);
    }
  }
}
