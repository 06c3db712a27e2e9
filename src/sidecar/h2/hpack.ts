import { CODE, ConnectionFault } from "./frames.ts";
import { createHuffman, type HuffmanDecode } from "./huffman.ts";

/** A header: lower-case name and value, as Latin-1. */
export type Header = readonly [name: string, value: string];

/** The static table (RFC 7541, appendix A), in order. */
const STATIC_TEXT =
  ":authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|" +
  ":status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|" +
  "accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|" +
  "content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|" +
  "cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|" +
  "last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|" +
  "server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate";

const MAX_TABLE_BYTES = 4_096;

/** What an entry counts besides its letters (RFC 7541, section 4.1). */
const ENTRY_BYTES = 32;

const bad = (problem: string): ConnectionFault => new ConnectionFault(CODE.compression, problem);

/** Decodes header blocks of one connection (RFC 7541). Throws ConnectionFault: after a bad block the table is lost. */
export class HpackDecoder {
  readonly #huffman: HuffmanDecode = createHuffman();
  readonly #static: readonly Header[] = staticTable();
  /** Newest first. */
  #dynamic: Header[] = [];
  #bytes = 0;
  #maxBytes = MAX_TABLE_BYTES;
  #block: Uint8Array = Buffer.alloc(0);
  #at = 0;
  /** Changes whenever the table does: while it stands still, equal blocks mean equal headers. */
  generation = 0;

  decode(block: Uint8Array): Header[] {
    this.#block = block;
    this.#at = 0;
    const headers: Header[] = [];
    while (this.#at < block.length) {
      const byte = block[this.#at] ?? 0;
      if (byte & 0x80) headers.push(this.#entry(this.#integer(7)));
      else if (byte & 0x40) headers.push(this.#insert(this.#literal(6)));
      else if (byte & 0x20) this.#resize(headers.length, this.#integer(5));
      else headers.push(this.#literal(4));
    }
    return headers;
  }

  #literal(prefixBits: number): Header {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    return [name, this.#string()];
  }

  #entry(index: number): Header {
    const found = index <= this.#static.length ? this.#static[index - 1] : this.#dynamic[index - this.#static.length - 1];
    if (found === undefined) throw bad(`no header has index ${index}`);
    return found;
  }

  #insert(header: Header): Header {
    this.generation += 1;
    this.#dynamic.unshift(header);
    this.#bytes += sizeOf(header);
    this.#evict();
    return header;
  }

  #resize(headersBefore: number, bytes: number): void {
    if (headersBefore > 0) throw bad("the table's size changes in the middle of a block");
    if (bytes > MAX_TABLE_BYTES) throw bad(`a table of ${bytes} bytes is more than was allowed`);
    this.generation += 1;
    this.#maxBytes = bytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#bytes > this.#maxBytes) {
      const oldest = this.#dynamic.pop();
      if (oldest === undefined) return;
      this.#bytes -= sizeOf(oldest);
    }
  }

  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw bad("a number is too long");
  }

  #string(): string {
    const isHuffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#block.length) throw bad("a string is cut off");
    if (!isHuffman) return Buffer.from(this.#block.subarray(from, this.#at)).toString("latin1");
    const text = this.#huffman(this.#block, from, this.#at);
    if (text === undefined) throw bad("a string is no Huffman code");
    return text;
  }

  #byte(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw bad("the block is cut off");
    this.#at += 1;
    return byte;
  }
}

const sizeOf = ([name, value]: Header): number => name.length + value.length + ENTRY_BYTES;

const staticTable = (): Header[] =>
  STATIC_TEXT.split("|").map((entry) => {
    const equals = entry.indexOf("=");
    return equals === -1 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
  });

/** A block of headers as literals that touch no table; for short, lower-case ASCII. */
export function encodeLiterals(headers: readonly Header[]): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

/** A string without Huffman code, at most 16 KiB long. */
function literal(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const { length } = bytes;
  const prefix = length < 127 ? [length] : [127, ((length - 127) & 0x7f) | 0x80, (length - 127) >>> 7];
  return Buffer.concat([Buffer.from(prefix), bytes]);
}
