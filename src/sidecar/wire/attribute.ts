import { Cursor } from "./cursor.ts";
import { type Message, MessageReader } from "./fields.ts";
import { schemaOf } from "./schemas.ts";

/** Number of `attributes` in `ProcessingRequest` (external_processor.proto). */
export const ATTRIBUTES = 9;
const STRING_VALUE = 3;

/** Name under which Envoy files the attributes that its filter was told to send. */
const FILTER = ["envoy.filters.http.ext_proc"] as const;

/** Finds one attribute in a `ProcessingRequest`; apart from the headers, because few rules ask for any. */
export class AttributeReader {
  readonly #cursor = new Cursor();
  readonly #reader = new MessageReader(this.#cursor);
  readonly #request: Message = schemaOf("envoy.service.ext_proc.v3.ProcessingRequest");
  readonly #struct: Message = schemaOf("google.protobuf.Struct");
  readonly #value: Message = schemaOf("google.protobuf.Value");
  readonly #names: readonly [string];
  #found: string | undefined;

  /** `name` as in Envoy's list of attributes, like `source.address`. */
  constructor(name: string) {
    this.#names = [name];
  }

  /** The attribute in the message [from, to), which was read without a fault before; undefined without one. */
  read(bytes: Buffer, from: number, to: number): string | undefined {
    this.#found = undefined;
    this.#cursor.reset(bytes, from, to);
    this.#reader.depth = 0;
    this.#reader.each(to, this.#request, this.#onRequest);
    return this.#found;
  }

  // Of entries with the same key the last counts, and it is whole: what an earlier one held is gone.

  readonly #onRequest = (field: number): boolean => {
    if (field !== ATTRIBUTES) return false;
    this.#reader.entry(this.#struct, FILTER, () => {
      this.#found = undefined;
      this.#reader.each(this.#cursor.lengthEnd(), this.#struct, this.#onStruct);
    });
    return true;
  };

  readonly #onStruct = (field: number): boolean => {
    if (field !== 1) return false;
    this.#reader.entry(this.#value, this.#names, () => {
      this.#found = undefined;
      this.#reader.each(this.#cursor.lengthEnd(), this.#value, this.#onValue);
    });
    return true;
  };

  readonly #onValue = (field: number): boolean => {
    if (field !== STRING_VALUE) return false;
    this.#found = this.#cursor.string();
    return true;
  };
}
