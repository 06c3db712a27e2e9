import { type Cursor, MAX_DEPTH, WireError } from "./cursor.ts";

/** How a field is read; `long` is a varint of 64 bits, `flag` a bool. */
export type Scalar = "string" | "bytes" | "uint32" | "int32" | "flag" | "long" | "double";

/** What a field holds. */
export type Kind = Scalar | Message;

/** A field of a message. */
export interface Field {
  readonly name: string;
  readonly kind: Kind;
  /** True for a map from strings, whose fields are its entries. */
  readonly isMap: boolean;
}

/** Fields of a message by number; a number without one is passed over by its wire type. */
export type Message = (Field | undefined)[];

/** Takes a field whose tag was read, or leaves it; the tag holds the field's number and its wire type. */
export type OnField = (number: number, wireType: number) => boolean;

/** Tags of an entry's fields, both with a length. */
const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;

/** Walks through messages by their schemas; one for all messages of a sender, because it holds no message. */
export class MessageReader {
  readonly cursor: Cursor;
  /** Messages that are open around the cursor. */
  depth = 0;

  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }

  /** Goes on to the message's `end`, and checks the fields that `on` leaves. Throws WireError. */
  each(end: number, schema: Message, on: OnField): void {
    const { cursor } = this;
    const outerEnd = this.enter(end);
    while (cursor.at < end) {
      const tag = cursor.uint32();
      if (!on(tag >>> 3, tag & 7)) this.check(tag, schema);
    }
    this.leave(end, outerEnd);
  }

  /** A field that is only checked, its tag read. Throws WireError. */
  check(tag: number, schema: Message): void {
    const field = schema[tag >>> 3];
    if (field === undefined) this.cursor.skipType(tag & 7, this.depth - 1);
    else if (field.isMap) this.#checkEntry(field.kind);
    else this.#checkValue(field.kind);
  }

  /**
   * An entry of a map of messages, its tag read: with a key out of these, in ASCII, `on` takes the value, before whose length the cursor
   * stands. All other entries are checked. Throws WireError.
   */
  entry<Key extends string>(schema: Message, keys: readonly Key[], on: (key: Key) => void): void {
    const { cursor } = this;
    const from = cursor.at;
    const { end: outerEnd } = cursor;
    const end = cursor.lengthEnd();
    cursor.end = end;
    const key = this.#keyBeforeValue(end, keys);
    if (key === null) {
      cursor.at = from;
      cursor.end = outerEnd;
      this.#entryInAnyOrder(schema, keys, on);
      return;
    }
    if (key === undefined) this.#checkValue(schema);
    else on(key);
    if (cursor.at !== end) throw new WireError("an entry of a map is cut off");
    cursor.end = outerEnd;
  }

  /** As all senders write an entry: the key, then the value, and no more. Null where this is otherwise, undefined for no key of these. */
  #keyBeforeValue<Key extends string>(end: number, keys: readonly Key[]): Key | undefined | null {
    const { cursor } = this;
    if (cursor.at >= end || cursor.bytes[cursor.at] !== KEY_TAG) return null;
    cursor.at += 1;
    const keyTo = cursor.stringEnd();
    const keyFrom = cursor.at;
    if (keyTo >= end || cursor.bytes[keyTo] !== VALUE_TAG) return null;
    cursor.at = keyTo + 1;
    const valueAt = cursor.at;
    if (cursor.lengthEnd() !== end) return null;
    cursor.at = valueAt;
    return this.#keyOf(keyFrom, keyTo, keys);
  }

  #entryInAnyOrder<Key extends string>(schema: Message, keys: readonly Key[], on: (key: Key) => void): void {
    const { cursor } = this;
    const { keyFrom, keyTo, valueAt } = this.#checkEntry(schema);
    const key = this.#keyOf(keyFrom, keyTo, keys);
    if (key === undefined) return;
    const { at: behind, end: outerEnd } = cursor;
    cursor.at = valueAt;
    cursor.end = behind;
    on(key);
    cursor.at = behind;
    cursor.end = outerEnd;
  }

  /** An entry of a map of strings, its tag read: its value where it has this key, in ASCII. Throws WireError. */
  textEntry(wanted: string): string | undefined {
    const { cursor } = this;
    const { keyFrom, keyTo, valueAt } = this.#checkEntry("string");
    if (!cursor.isText(keyFrom, keyTo, wanted)) return undefined;
    if (valueAt === -1) return "";
    const { at: behind, end: outerEnd } = cursor;
    cursor.at = valueAt;
    cursor.end = behind;
    const text = cursor.string();
    cursor.at = behind;
    cursor.end = outerEnd;
    return text;
  }

  #keyOf<Key extends string>(from: number, to: number, keys: readonly Key[]): Key | undefined {
    for (const key of keys) if (this.cursor.isText(from, to, key)) return key;
    return undefined;
  }

  /** Begins a message that ends at `end`; gives the end of the one around it. Throws WireError. */
  enter(end: number): number {
    if (this.depth > MAX_DEPTH) throw new WireError("nested too deeply");
    this.depth += 1;
    const outerEnd = this.cursor.end;
    this.cursor.end = end;
    return outerEnd;
  }

  /** Ends a message. Throws WireError when its fields do not end where it does. */
  leave(end: number, outerEnd: number): void {
    if (this.cursor.at !== end) throw new WireError("the message is cut off");
    this.cursor.end = outerEnd;
    this.depth -= 1;
  }

  #checkMessage(end: number, schema: Message): void {
    const { cursor } = this;
    const outerEnd = this.enter(end);
    while (cursor.at < end) this.check(cursor.uint32(), schema);
    this.leave(end, outerEnd);
  }

  /** Checks an entry of a map, and tells where its key and its value lie; the value at -1 when it has none. */
  #checkEntry(kind: Kind): { readonly keyFrom: number; readonly keyTo: number; readonly valueAt: number } {
    const { cursor } = this;
    const end = cursor.lengthEnd();
    const outerEnd = cursor.end;
    cursor.end = end;
    let keyFrom = end;
    let keyTo = end;
    let valueAt = -1;
    while (cursor.at < end) {
      const tag = cursor.uint32();
      if (tag >>> 3 === 1) {
        keyTo = cursor.stringEnd();
        keyFrom = cursor.at;
        cursor.at = keyTo;
      } else if (tag >>> 3 === 2) {
        valueAt = cursor.at;
        this.#checkValue(kind);
      } else cursor.skipType(tag & 7, this.depth - 1);
    }
    if (cursor.at !== end) throw new WireError("an entry of a map is cut off");
    cursor.end = outerEnd;
    // As in the reference, an entry may lack its value only where that is a string.
    if (valueAt === -1 && kind !== "string") throw new WireError("an entry of a map has no value");
    return { keyFrom, keyTo, valueAt };
  }

  #checkValue(kind: Kind): void {
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
      case "double":
        cursor.double();
        return;
      default:
        this.#checkMessage(cursor.lengthEnd(), kind);
    }
  }
}
