import { type Cursor, MAX_DEPTH, WireError } from "./cursor.ts";

/** How a field is read; `long` and `double` are 64 bits, `flag` a bool. */
export type Scalar = "string" | "bytes" | "uint32" | "int32" | "flag" | "long" | "double";

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
        const [key, value] = this.#entry(kind, isKept, keys);
        if (!isKept || (keys !== undefined && !keys.has(key))) return;
        const map = into[name];
        if (map instanceof Map) map.set(key, value);
        else into[name] = new Map([[key, value]]);
        return;
      }
    }
  }

  #entry(kind: Field["kind"], isKept: boolean, keys: Field["keys"]): readonly [key: string, value: unknown] {
    const { cursor } = this;
    const end = cursor.lengthEnd();
    const outerEnd = cursor.end;
    cursor.end = end;
    let key = "";
    let value: unknown = kind === "string" ? "" : undefined;
    while (cursor.at < end) {
      const tag = cursor.uint32();
      if (tag >>> 3 === 1) {
        if (isKept) key = cursor.string();
        else cursor.at = cursor.stringEnd();
      } else if (tag >>> 3 === 2) value = this.#value(kind, isKept && (keys === undefined || keys.has(key)));
      else cursor.skipType(tag & 7, this.depth - 1);
    }
    if (cursor.at !== end) throw new WireError("an entry of a map is cut off");
    cursor.end = outerEnd;
    if (value === undefined) throw new WireError("an entry of a map has no value");
    return [key, value];
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
      case "double":
        return cursor.double();
      default:
        return this.message(cursor.lengthEnd(), kind, isKept);
    }
  }
}
