import { createHash, hash as hashOnce } from "node:crypto";

/** One member of the container: its name, the sha256 of its value's bytes, and where these stand. */
export interface RawEntry {
  /** The field that it stands in. */
  readonly container: string;
  readonly name: string;
  /** sha256 in base64. */
  readonly fingerprint: string;
  readonly start: number;
  readonly length: number;
  /** The value's bytes, valid during the call; undefined when there are more than `MAX_HELD`. */
  readonly bytes: Buffer | undefined;
}

/** JSON, and yet no document that can be read. */
export class EntryFault extends Error {
  override readonly name = "EntryFault";
}

/** Larger values are read a second time, so that nothing large is held. */
const MAX_HELD = 65_536;

type State = "begin" | "key or end" | "key" | "in key" | "colon" | "begin value" | "value" | "comma or end" | "end";

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * Splits a JSON object into its fields, and some fields of it, the containers, into their entries, while the bytes come in. Values are
 * not looked into: whoever parses an entry whole, once for each fingerprint, has read all of the document. Throws a SyntaxError
 * on what is no JSON between them, and an EntryFault on a field that stands twice.
 */
export class EntryScanner {
  readonly #containers: readonly string[];
  /** The one whose entries are read now. */
  #container = "";
  readonly #onEntry: (entry: RawEntry) => void;
  readonly #fields = new Map<string, unknown>();
  #state: State = "begin";
  #isInside = false;
  #key = "";
  #offset = 0;
  #start = 0;
  /** What was held back of a key or value that began in an earlier chunk. */
  readonly #held = Buffer.allocUnsafe(MAX_HELD);
  #heldLength = 0;
  #hasher: ReturnType<typeof createHash> | undefined;
  #depth = 0;
  #inText = false;
  #isEscaped = false;

  constructor(containers: readonly string[], onEntry: (entry: RawEntry) => void) {
    this.#containers = containers;
    this.#onEntry = onEntry;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) at = this.#step(chunk, at);
    if (this.#state === "value" || this.#state === "in key") this.#holdBack(chunk.subarray(Math.max(0, this.#start - this.#offset)));
    this.#offset += chunk.length;
  }

  /** The object's fields besides the entries; the container itself stands there empty. */
  end(): Readonly<Record<string, unknown>> {
    if (this.#state !== "end") throw new SyntaxError("the text ends too early");
    return Object.fromEntries(this.#fields);
  }

  /** Returns the index after what was taken. */
  #step(chunk: Buffer, at: number): number {
    if (this.#state === "value") return this.#scanValue(chunk, at);
    if (this.#state === "in key") return this.#scanKey(chunk, at);
    const byte = chunk[at] ?? 0;
    if (isBlank(byte)) return at + 1;
    switch (this.#state) {
      case "begin":
        return this.#expect(byte === OPEN, "key or end", at);
      case "key or end":
        if (byte === CLOSE) return this.#leave(at);
        return this.#beginKey(byte, at);
      case "key":
        return this.#beginKey(byte, at);
      case "colon":
        return this.#expect(byte === COLON, "begin value", at);
      case "begin value":
        return this.#beginValue(byte, at);
      case "comma or end":
        if (byte === CLOSE) return this.#leave(at);
        return this.#expect(byte === COMMA, "key", at);
      case "end":
        return this.#expect(false, "end", at);
    }
  }

  #expect(isThere: boolean, next: State, at: number): number {
    if (!isThere) throw new SyntaxError(`not JSON at byte ${this.#offset + at}`);
    this.#state = next;
    return at + 1;
  }

  #leave(at: number): number {
    this.#state = this.#isInside ? "comma or end" : "end";
    this.#isInside = false;
    return at + 1;
  }

  #beginKey(byte: number, at: number): number {
    this.#start = this.#offset + at;
    return this.#expect(byte === QUOTE, "in key", at);
  }

  #scanKey(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) {
        this.#key = String(JSON.parse(this.#whole(chunk, at + 1)?.toString("utf8") ?? ""));
        this.#state = "colon";
        return at + 1;
      }
    }
    return chunk.length;
  }

  /** Takes the container's brace, and nothing of any other value. */
  #beginValue(byte: number, at: number): number {
    if (!this.#isInside && this.#fields.has(this.#key)) throw new EntryFault(`${this.#key} stands twice`);
    if (!this.#isInside && this.#containers.includes(this.#key) && byte === OPEN) {
      this.#fields.set(this.#key, {});
      this.#container = this.#key;
      this.#isInside = true;
      this.#state = "key or end";
      return at + 1;
    }
    this.#start = this.#offset + at;
    this.#depth = 0;
    this.#state = "value";
    return at;
  }

  #scanValue(chunk: Buffer, from: number): number {
    // Local copies: nearly all bytes of a document pass through here.
    let [depth, inText, isEscaped] = [this.#depth, this.#inText, this.#isEscaped];
    let at = from;
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (inText) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) inText = false;
      } else if (byte === QUOTE) inText = true;
      else if (byte === OPEN || byte === OPEN_LIST) depth += 1;
      else if (depth > 0) {
        if (byte === CLOSE || byte === CLOSE_LIST) depth -= 1;
      } else if (byte === COMMA || byte === CLOSE) {
        this.#finishValue(chunk, at);
        this.#state = "comma or end";
        break;
      }
    }
    [this.#depth, this.#inText, this.#isEscaped] = [depth, inText, isEscaped];
    return at;
  }

  #finishValue(chunk: Buffer, end: number): void {
    const length = this.#offset + end - this.#start;
    const hasher = this.#hasher;
    this.#hasher = undefined;
    hasher?.update(chunk.subarray(0, end));
    const bytes = this.#whole(chunk, end);
    if (this.#isInside) {
      // The value begins and ends in this chunk where nothing was hashed before.
      const fingerprint = hasher?.digest("base64") ?? hashOnce("sha256", bytes ?? "", "base64");
      this.#onEntry({ container: this.#container, name: this.#key, fingerprint, start: this.#start, length, bytes });
      return;
    }
    if (bytes === undefined) throw new EntryFault(`${this.#key} is too large`);
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    this.#fields.set(this.#key, value);
  }

  /** Keeps the part of a key or value that stands in a chunk that ends. */
  #holdBack(part: Buffer): void {
    if (this.#state === "value") {
      this.#hasher ??= createHash("sha256");
      this.#hasher.update(part);
    }
    // One more than fits says that it does not.
    if (this.#heldLength + part.length <= MAX_HELD) part.copy(this.#held, this.#heldLength);
    this.#heldLength = Math.min(MAX_HELD + 1, this.#heldLength + part.length);
  }

  /** The key or value from its start to an index of this chunk; undefined when it is too long to be held. */
  #whole(chunk: Buffer, end: number): Buffer | undefined {
    const from = this.#start - this.#offset;
    if (from >= 0) return chunk.subarray(from, end);
    const isHeld = this.#heldLength + end <= MAX_HELD;
    if (isHeld) chunk.copy(this.#held, this.#heldLength, 0, end);
    const whole = isHeld ? this.#held.subarray(0, this.#heldLength + end) : undefined;
    this.#heldLength = 0;
    return whole;
  }
}
