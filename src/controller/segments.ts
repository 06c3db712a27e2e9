import { SUBJECTS } from "../contract/names.ts";
import type { SegmentPlan } from "../contract/segments.ts";
import { encodeIndex } from "../io/segment-store.ts";
import type { AppliedSegment } from "../io/store.ts";
import type { TermParts } from "./ports.ts";

interface Held extends AppliedSegment {
  readonly index: ReturnType<typeof encodeIndex>;
}

/** The segments that the leader publishes: those that were applied and whose chunks are all in the store. */
export class SegmentKeeper {
  readonly #parts: TermParts;
  readonly #held = new Map<string, Held>();

  constructor(parts: TermParts) {
    this.#parts = parts;
  }

  /** Reads what was applied. A segment that cannot be served whole is left out and said so: sidecars would refuse all rules with it. */
  async load(): Promise<void> {
    const { segments, log } = this.#parts;
    const names = await segments.names();
    // Once for all: thousands of blobs may stand there, and nobody leads meanwhile.
    const stored = names.length === 0 ? NOTHING_STORED : await this.#stored();
    for (const name of names) {
      try {
        const applied = await segments.last(name);
        if (applied === undefined) continue;
        const lacking = lackingIn(stored, applied.plan);
        if (lacking.length === 0) this.hold(applied);
        else log.error({ segment: name, chunks: lacking.length }, "chunks of a segment are gone, nobody is in it; apply it again");
      } catch (error) {
        if (!(error instanceof Error) || error.name !== "CorruptValueError") throw error;
        log.error({ err: error, segment: name }, "segment unreadable, nobody is in it; apply it again");
      }
    }
  }

  /** Takes a segment whose chunks are all there; the next manifest names it. */
  hold(applied: AppliedSegment): void {
    this.#held.set(applied.plan.name, { ...applied, index: encodeIndex(applied.plan) });
  }

  get names(): readonly string[] {
    return [...this.#held.keys()].toSorted();
  }

  /** The form that is published. */
  planOf(name: string): SegmentPlan | undefined {
    return this.#held.get(name)?.plan;
  }

  /** Name → index, in the order of the names. */
  get indexes(): readonly (readonly [string, Held["index"]])[] {
    return this.names.flatMap((name) => {
      const held = this.#held.get(name);
      return held === undefined ? [] : [[name, held.index] as const];
    });
  }

  /** Hashes of all blobs that the segments need. */
  get blobs(): readonly string[] {
    return [...this.#held.values()].flatMap(({ plan, index }) => [index.hash, ...Object.values(plan.chunks)]);
  }

  /** Hashes of chunks that are not in the store. */
  async lacking(plan: SegmentPlan): Promise<string[]> {
    return lackingIn(await this.#stored(), plan);
  }

  async #stored(): Promise<ReadonlySet<string>> {
    return new Set(await this.#parts.state.subjects(SUBJECTS.blob("*")));
  }
}

const NOTHING_STORED: ReadonlySet<string> = new Set();

const lackingIn = (stored: ReadonlySet<string>, { chunks }: SegmentPlan): string[] =>
  Object.values(chunks).filter((hash) => !stored.has(SUBJECTS.blob(hash)));
