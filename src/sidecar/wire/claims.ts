import { CLAIMS } from "../../contract/names.ts";
import { Cursor } from "./cursor.ts";
import { type Message, MessageReader } from "./fields.ts";
import { schemaOf } from "./schemas.ts";

/** Number of `metadata_context` in `ProcessingRequest` (external_processor.proto). */
export const METADATA_CONTEXT = 8;
/** Numbers of the fields of Metadata, Struct, ListValue and Value (base.proto, struct.proto). */
const FILTER_METADATA = 1;
const FIELDS = 1;
const ITEMS = 1;
const VALUE = { number: 2, string: 3, flag: 4, struct: 5, list: 6 } as const;
const NAMESPACE = [CLAIMS.namespace] as const;

const NONE: readonly string[] = [];

/** What a `Value` holds, as far as claims are read: a text, or a list of texts. */
interface Found {
  text: string | undefined;
  /** Of several kinds in one value, which no sender writes, the text goes before the number, and that before the truth value. */
  rank: number;
  items: string[];
}

/** Finds claims in the metadata of a `ProcessingRequest`; apart from the headers, because few rules ask for one. */
export class ClaimsReader {
  readonly #cursor = new Cursor();
  readonly #reader = new MessageReader(this.#cursor);
  readonly #request: Message = schemaOf("envoy.service.ext_proc.v3.ProcessingRequest");
  readonly #metadata: Message = schemaOf("envoy.config.core.v3.Metadata");
  readonly #struct: Message = schemaOf("google.protobuf.Struct");
  readonly #value: Message = schemaOf("google.protobuf.Value");
  readonly #list: Message = schemaOf("google.protobuf.ListValue");
  #found: readonly string[] = NONE;

  /** The claim's values in the message [from, to), which was read without a fault before; none where there is none. */
  read(bytes: Buffer, from: number, to: number, path: readonly string[]): readonly string[] {
    this.#found = NONE;
    this.#cursor.reset(bytes, from, to);
    this.#reader.depth = 0;
    const names = [CLAIMS.key, ...path];
    this.#reader.each(to, this.#request, (field) => {
      if (field !== METADATA_CONTEXT) return false;
      // Of what comes twice the last counts, and it is whole.
      this.#found = NONE;
      this.#into(this.#metadata, (inner) => inner === FILTER_METADATA && this.#namespace(names));
      return true;
    });
    return this.#found;
  }

  #namespace(names: readonly string[]): boolean {
    this.#reader.entry(this.#struct, NAMESPACE, () => {
      this.#found = NONE;
      this.#fields(names, 0);
    });
    return true;
  }

  /** In a struct, the field of the next name. */
  #fields(names: readonly string[], at: number): void {
    const [name = ""] = names.slice(at, at + 1);
    this.#into(this.#struct, (field) => {
      if (field !== FIELDS) return false;
      this.#reader.entry(this.#value, [name], () => {
        this.#found = NONE;
        if (at === names.length - 1) this.#leaf();
        else this.#inside(names, at + 1);
      });
      return true;
    });
  }

  #inside(names: readonly string[], at: number): void {
    this.#into(this.#value, (field) => {
      if (field !== VALUE.struct) return false;
      this.#found = NONE;
      this.#fields(names, at);
      return true;
    });
  }

  #leaf(): void {
    const found: Found = { text: undefined, rank: 0, items: [] };
    this.#into(this.#value, (field) => this.#scalar(field, found) || this.#listed(field, found));
    this.#found = found.text === undefined ? found.items : [found.text];
  }

  #listed(field: number, found: Found): boolean {
    if (field !== VALUE.list) return false;
    found.items = [];
    this.#into(this.#list, (inner) => {
      if (inner !== ITEMS) return false;
      const item: Found = { text: undefined, rank: 0, items: [] };
      this.#into(this.#value, (of) => this.#scalar(of, item));
      if (item.text !== undefined) found.items.push(item.text);
      return true;
    });
    return true;
  }

  #scalar(field: number, found: Found): boolean {
    if (field === VALUE.string) keep(found, 3, this.#cursor.string());
    else if (field === VALUE.number) keep(found, 2, String(this.#cursor.double()));
    else if (field === VALUE.flag) keep(found, 1, String(this.#cursor.uint32() !== 0));
    else return false;
    return true;
  }

  #into(schema: Message, on: (field: number) => boolean): void {
    this.#reader.each(this.#cursor.lengthEnd(), schema, on);
  }
}

function keep(found: Found, rank: number, text: string): void {
  if (rank < found.rank) return;
  found.rank = rank;
  found.text = text;
}
