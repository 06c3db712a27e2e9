import { CODE, ConnectionFault, FLAG, FRAME, paddedEnd } from "./frames.ts";
import { type Header, HpackDecoder } from "./hpack.ts";
import type { Method } from "./stream.ts";

/** The method that some headers ask for. */
export type Route = (headers: readonly Header[]) => Method;

/** A whole header block. */
export interface FoundHeaders {
  readonly method: Method;
  /** The stream's sender has nothing more to say. */
  readonly isLast: boolean;
}

const MAX_BLOCK_BYTES = 65_536;
const PRIORITY_BYTES = 5;

/** Puts the header blocks of a connection together, and finds the method that each asks for. */
export class HeaderBlocks {
  readonly #hpack = new HpackDecoder();
  readonly #route: Route;
  #open: { readonly stream: number; readonly isLast: boolean; block: Buffer } | undefined;
  #last: { readonly block: Buffer; readonly generation: number; readonly method: Method } | undefined;

  constructor(route: Route) {
    this.#route = route;
  }

  /** Nothing may come between the pieces of a block. Throws ConnectionFault. */
  expect(type: number, stream: number): void {
    const isContinuation = type === FRAME.continuation;
    if (this.#open === undefined ? isContinuation : !isContinuation || stream !== this.#open.stream)
      throw new ConnectionFault(CODE.protocol, "a header block is interrupted, or goes on without a begin");
  }

  /** A HEADERS frame; undefined when the block goes on. Throws ConnectionFault. */
  begin(flags: number, stream: number, payload: Buffer): FoundHeaders | undefined {
    if (stream === 0) throw new ConnectionFault(CODE.protocol, "headers belong to a stream");
    const isPadded = (flags & FLAG.padded) !== 0;
    const end = isPadded ? paddedEnd(payload, 0, payload.length) : payload.length;
    const from = (isPadded ? 1 : 0) + ((flags & FLAG.priority) === 0 ? 0 : PRIORITY_BYTES);
    if (from > end) throw new ConnectionFault(CODE.frameSize, "a HEADERS frame is too short");
    const block = payload.subarray(from, end);
    const isLast = (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) !== 0) return { method: this.#methodOf(block), isLast };
    this.#open = { stream, isLast, block: Buffer.from(block) };
    return undefined;
  }

  /** A CONTINUATION frame; undefined when the block goes on. Throws ConnectionFault. */
  go(flags: number, payload: Buffer): FoundHeaders | undefined {
    const open = this.#open;
    if (open === undefined) return undefined;
    open.block = Buffer.concat([open.block, payload]);
    // Many short pieces are an attack, not a request.
    if (open.block.length > MAX_BLOCK_BYTES || payload.length === 0) throw new ConnectionFault(CODE.calm, "a header block is too long");
    if ((flags & FLAG.endHeaders) === 0) return undefined;
    this.#open = undefined;
    return { method: this.#methodOf(open.block), isLast: open.isLast };
  }

  /** Envoy sends the same few bytes for each stream: they mean the same while the table of headers stands still. */
  #methodOf(block: Buffer): Method {
    const last = this.#last;
    if (last !== undefined && last.generation === this.#hpack.generation && last.block.equals(block)) return last.method;
    const { generation } = this.#hpack;
    const method = this.#route(this.#hpack.decode(block));
    // A block that changed the table has to do so again when it comes again.
    if (generation === this.#hpack.generation) this.#last = { block: Buffer.from(block), generation, method };
    return method;
  }
}
