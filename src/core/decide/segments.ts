import { type ReadySegment, readySegment, type SegmentRules, segmentSalt } from "../../contract/segments.ts";
import type { UserTable } from "../../contract/user-lists.ts";
import { highWord, lowWord, seedOf } from "./bucket.ts";
import { compileCondition, headersIn, type Meets } from "./conditions.ts";
import { chunkOf } from "./segment-chunks.ts";
import { type AskedSegments, NOBODY, type RequestFacts } from "./types.ts";
import { holdsWords } from "./user-table.ts";

/** A segment, ready to be asked. */
export interface CompiledSegment {
  readonly seed: number;
  readonly chunkBits: number;
  readonly chunks: readonly (UserTable | undefined)[];
  /** Who is in it besides those listed. */
  readonly meets: Meets | undefined;
  /** Lower-case names of the headers that its condition reads. */
  readonly headers: readonly string[];
}

/** Segments in force by name. */
export type Segments = ReadonlyMap<string, CompiledSegment>;

export function compileSegment(name: string, { when, chunkBits, chunks }: ReadySegment): CompiledSegment {
  return {
    seed: seedOf(segmentSalt(name)),
    chunkBits,
    chunks,
    meets: when === undefined ? undefined : compileCondition(when, noList).meets,
    headers: when === undefined ? [] : [...new Set(headersIn(when))],
  };
}

/** Its schema refuses lists there. */
const noList = (): never => {
  throw new TypeError("a segment's condition that lists users");
};

/** Segments of a rule set, as a file or the store holds them. */
export const compileSegments = (segments: Readonly<Record<string, ReadySegment | SegmentRules>>): Segments =>
  new Map(
    Object.entries(segments).map(([name, segment]) => [name, compileSegment(name, "chunks" in segment ? segment : readySegment(segment))]),
  );

/** Why a request is in a segment, or that it is not; nobody is in one that is unknown. */
export type Membership = "listed" | "condition" | "out" | "unknown";

/** What segments say of one request: each is asked at most once for a key. */
export class SegmentAnswers implements AskedSegments {
  readonly #segments: Segments;
  readonly #given = new Map<string, { readonly key: string | undefined; readonly membership: Membership }>();

  constructor(segments: Segments) {
    this.#segments = segments;
  }

  /** Answers so far, in the order in which they were asked for. */
  get given(): readonly (readonly [name: string, membership: Membership])[] {
    return [...this.#given].map(([name, { membership }]) => [name, membership]);
  }

  holds(name: string, request: RequestFacts, key: string | undefined): boolean {
    const membership = this.#membership(name, request, key);
    return membership === "listed" || membership === "condition";
  }

  mayHold(name: string, request: RequestFacts, key: string | undefined): boolean {
    return this.#membership(name, request, key) !== "out";
  }

  #membership(name: string, request: RequestFacts, key: string | undefined): Membership {
    let answer = this.#given.get(name);
    if (answer === undefined || answer.key !== key) {
      answer = { key, membership: this.#ask(name, request, key) };
      this.#given.set(name, answer);
    }
    return answer.membership;
  }

  #ask(name: string, request: RequestFacts, key: string | undefined): Membership {
    const segment = this.#segments.get(name);
    if (segment === undefined) {
      request.unknownSegment?.(name);
      return "unknown";
    }
    if (key !== undefined && isListed(segment, key)) return "listed";
    return segment.meets?.(request, NOBODY) === true ? "condition" : "out";
  }
}

function isListed({ seed, chunkBits, chunks }: CompiledSegment, key: string): boolean {
  const high = highWord(seed, key);
  const table = chunks[chunkOf(high, chunkBits)];
  return table !== undefined && holdsWords(table, high, lowWord(seed, key));
}
