import { isIP } from "node:net";
import type { IssuedCookie } from "../../contract/rollout.ts";
import type { RequestFacts } from "../../core/decide/types.ts";
import type { Peer } from "../trusted-peers.ts";
import { ATTRIBUTES, AttributeReader } from "./attribute.ts";
import { ClaimsReader, METADATA_CONTEXT } from "./claims.ts";
import { Cursor, WireError } from "./cursor.ts";
import { type Message, MessageReader } from "./fields.ts";
import { schemaOf } from "./schemas.ts";

/** Numbers of the fields of `ProcessingRequest` (external_processor.proto). */
export const KIND = {
  none: 0,
  requestHeaders: 2,
  responseHeaders: 3,
  requestBody: 4,
  responseBody: 5,
  requestTrailers: 6,
  responseTrailers: 7,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** Begin and end of key, value and raw value of each header. */
const SPANS = 6;
const NONE: readonly string[] = [];
const UPGRADE = "upgrade";

/**
 * Reads `ProcessingRequest` straight from the bytes: where each header lies, and no value before a rule asks for it. It is the facts
 * of the request read last, valid until the next read and no longer than the bytes; one serves all streams, one after the other.
 */
export class RequestReader implements RequestFacts, Peer {
  readonly #cursor = new Cursor();
  readonly #reader = new MessageReader(this.#cursor);
  readonly #schema: Message = schemaOf("envoy.service.ext_proc.v3.ProcessingRequest");
  readonly #httpHeadersSchema: Message = schemaOf("envoy.service.ext_proc.v3.HttpHeaders");
  readonly #address = new AttributeReader("source.address");
  readonly #peerUri = new AttributeReader("connection.uri_san_peer_certificate");
  #range: readonly [number, number] = [0, 0];
  #spans = new Int32Array(64 * SPANS);
  #headers = 0;
  #hasAttributes = false;
  readonly #claims = new ClaimsReader();
  #hasMetadata = false;

  /** Takes the message in the bytes [from, to) and tells its kind. Throws WireError where the reference decoder throws. */
  read(bytes: Buffer, from: number, to: number): Kind {
    const cursor = this.#cursor;
    const reader = this.#reader;
    cursor.reset(bytes, from, to);
    reader.depth = 1;
    this.#range = [from, to];
    this.#headers = 0;
    this.#hasAttributes = false;
    this.#hasMetadata = false;
    let kind: number = KIND.none;
    while (cursor.at < to) {
      const tag = cursor.uint32();
      const number = tag >>> 3;
      // Of several the last by number counts, as in the reference; Envoy sends one.
      if (number > kind && number >= KIND.requestHeaders && number <= KIND.responseTrailers) kind = number;
      if (number === KIND.requestHeaders) this.#httpHeaders(cursor.lengthEnd());
      else reader.check(tag, this.#schema);
      this.#hasAttributes ||= number === ATTRIBUTES;
      this.#hasMetadata ||= number === METADATA_CONTEXT;
    }
    return kind as Kind; // every number between the first kind and the last is a kind
  }

  /** Names of all headers, each once, in order. */
  names(): string[] {
    const names = new Set<string>();
    for (let at = 0; at < this.#headers * SPANS; at += SPANS)
      names.add(this.#cursor.bytes.toString("utf8", this.#spans[at], this.#spans[at + 1]));
    return [...names];
  }

  /** How many headers it has, those of HTTP/2 that begin with a colon among them. */
  get headerCount(): number {
    return this.#headers;
  }

  /** Bytes of the message, which are more than those of the headers. */
  get messageBytes(): number {
    return this.#range[1] - this.#range[0];
  }

  get host(): string {
    return this.headers(":authority")[0] ?? this.headers("host")[0] ?? "";
  }

  /** Set by who reads: the id in a cookie of ours. */
  issued: (cookie: IssuedCookie) => string | undefined = () => undefined;

  /** Set by who reads: hears of a value that was too long for a regular expression. */
  overlong: () => void = () => undefined;

  /** Set by who reads: hears of a segment that a rule asks for and that is not there. */
  unknownSegment: (name: string) => void = () => undefined;

  /** Set by who reads: tells whose word on cohorts is believed. */
  trusts: (peer: Peer) => boolean = () => false;

  get isTrustedPeer(): boolean {
    return this.trusts(this);
  }

  /** First URI in the certificate of the peer, which Envoy has verified or not, as it was told. */
  get certificateUri(): string | undefined {
    return this.#attribute(this.#peerUri);
  }

  /** Asks for another protocol, as a WebSocket does; Envoy shows it so for HTTP/2 and HTTP/3 too (HTTP upgrades, Envoy's documentation). */
  get isSession(): boolean {
    return this.#find(UPGRADE, 0) !== -1;
  }

  get method(): string {
    return this.headers(":method")[0] ?? "";
  }

  get path(): string {
    return this.headers(":path")[0] ?? "/";
  }

  headers(name: string): readonly string[] {
    let at = this.#find(name, 0);
    if (at === -1) return NONE;
    const found: string[] = [];
    for (; at !== -1; at = this.#find(name, at + SPANS)) found.push(this.#value(at));
    return found;
  }

  claims(path: readonly string[]): readonly string[] {
    return this.#hasMetadata ? this.#claims.read(this.#cursor.bytes, ...this.#range, path) : NONE;
  }

  /** Address of the downstream connection, from the attribute `source.address`: `ip:port` or `[ip]:port`. */
  get clientAddress(): string | undefined {
    const source = this.#attribute(this.#address);
    if (source === undefined) return undefined;
    const port = source.lastIndexOf(":");
    const bracket = source.startsWith("[") ? source.lastIndexOf("]") : -1;
    const withoutPort = bracket !== -1 ? source.slice(1, bracket) : port === -1 ? source : source.slice(0, port);
    // The path of a Unix socket is everyone's, so it is no key.
    return isIP(withoutPort) === 0 ? undefined : withoutPort;
  }

  #attribute(reader: AttributeReader): string | undefined {
    return this.#hasAttributes ? reader.read(this.#cursor.bytes, ...this.#range) : undefined;
  }

  /** Where the spans of the next header of this name begin, -1 without one. */
  #find(name: string, from: number): number {
    for (let at = from; at < this.#headers * SPANS; at += SPANS)
      if (this.#cursor.isText(this.#spans[at] ?? 0, this.#spans[at + 1] ?? 0, name)) return at;
    return -1;
  }

  #httpHeaders(end: number): void {
    const cursor = this.#cursor;
    const outerEnd = cursor.end;
    cursor.end = end;
    this.#reader.depth += 1;
    // A later message of the same field takes the place of an earlier one.
    this.#headers = 0;
    while (cursor.at < end) {
      const tag = cursor.uint32();
      if (tag >>> 3 === 1) this.#headerMap(cursor.lengthEnd());
      else this.#reader.check(tag, this.#httpHeadersSchema);
    }
    this.#leave(end, outerEnd);
  }

  #headerMap(end: number): void {
    const cursor = this.#cursor;
    const outerEnd = cursor.end;
    cursor.end = end;
    this.#reader.depth += 1;
    this.#headers = 0;
    while (cursor.at < end) {
      const tag = cursor.uint32();
      if (tag >>> 3 === 1) this.#header(cursor.lengthEnd());
      else cursor.skipType(tag & 7, this.#reader.depth - 1);
    }
    this.#leave(end, outerEnd);
  }

  #header(end: number): void {
    const cursor = this.#cursor;
    const outerEnd = cursor.end;
    cursor.end = end;
    const spans = this.#spansFor(this.#headers * SPANS);
    const at = this.#headers * SPANS;
    spans.fill(0, at, at + SPANS);
    while (cursor.at < end) {
      const tag = cursor.uint32();
      const number = tag >>> 3;
      if (number === 0 || number > 3) {
        cursor.skipType(tag & 7, this.#reader.depth);
        continue;
      }
      // Key and value are strings, the raw value bytes.
      const to = number === 3 ? cursor.lengthEnd() : cursor.stringEnd();
      spans[at + number * 2 - 2] = cursor.at;
      spans[at + number * 2 - 1] = to;
      cursor.at = to;
    }
    if (cursor.at !== end) throw new WireError("a header is cut off");
    cursor.end = outerEnd;
    this.#headers += 1;
  }

  #leave(end: number, outerEnd: number): void {
    if (this.#cursor.at !== end) throw new WireError("the headers are cut off");
    this.#cursor.end = outerEnd;
    this.#reader.depth -= 1;
  }

  #spansFor(at: number): Int32Array {
    if (at + SPANS > this.#spans.length) {
      const more = new Int32Array(this.#spans.length * 2);
      more.set(this.#spans);
      this.#spans = more;
    }
    return this.#spans;
  }

  /** Envoy fills `raw_value` since 1.29 and `value` before. */
  #value(at: number): string {
    const spans = this.#spans;
    const isRaw = (spans[at + 5] ?? 0) > (spans[at + 4] ?? 0);
    return this.#cursor.bytes.toString("utf8", spans[at + (isRaw ? 4 : 2)], spans[at + (isRaw ? 5 : 3)]);
  }
}
