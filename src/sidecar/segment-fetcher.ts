import type { UserTable } from "../contract/user-lists.ts";
import { createSlices } from "../io/slices.ts";
import { type LoadedSegment, type LoadedSegments, loadSegment, type SegmentLoading } from "./segment-loader.ts";

interface Parts extends Pick<SegmentLoading, "fetch" | "fetchChunk"> {
  /** One more is there. */
  onFetched(): void;
  /** One could not be fetched; it is tried again for some time. */
  onProblem(error: unknown, name: string): void;
}

/** A chunk may lack on a replica that lags, or NATS may not answer. */
const RETRY_MS = 500;
const RETRIES = 20;

/** What is on its way, and nobody wants it any more. */
class UnwantedError extends Error {
  override readonly name = "UnwantedError";
}

type Named = readonly [name: string, hash: string];

/** Fetches segments beside the rules in force, which do not wait for them: one after the other, and one that cannot be had holds up no other. */
export class SegmentFetcher {
  readonly #parts: Parts;
  readonly #fetched = new Map<string, LoadedSegment>();
  /** Chunks that were fetched, by the segment that they are wanted for. */
  readonly #tables = new Map<string, Map<string, UserTable>>();
  #wanted: ReadonlyMap<string, string> = new Map();
  #before: LoadedSegments = new Map();
  #current: Named | undefined;
  /** Counts the rounds of fetching: one that was overtaken ends. */
  #round = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What was fetched and is not in force yet, by the hash of its index. */
  get fetched(): ReadonlyMap<string, LoadedSegment> {
    return this.#fetched;
  }

  /** Fetches these, name → hash, and no others any more; chunks that are there `before` are not fetched again. */
  want(lacking: ReadonlyMap<string, string>, before: LoadedSegments): void {
    const hashes = new Set(lacking.values());
    for (const hash of this.#fetched.keys()) if (!hashes.has(hash)) this.#fetched.delete(hash);
    for (const name of this.#tables.keys()) if (!lacking.has(name)) this.#tables.delete(name);
    this.#wanted = lacking;
    this.#before = before;
    // What is on its way and still wanted goes on; its round then finds the others.
    if (this.#current !== undefined && lacking.get(this.#current[0]) === this.#current[1]) return;
    this.stop();
    if (lacking.size > 0) void this.#fetchAll(RETRIES);
  }

  stop(): void {
    this.#round += 1;
    this.#current = undefined;
    clearTimeout(this.#retry);
  }

  async #fetchAll(retriesLeft: number): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    const tried = new Set<string>();
    const isLacking = ([, hash]: Named): boolean => !this.#fetched.has(hash);
    for (;;) {
      const next = [...this.#wanted].find((one) => isLacking(one) && !tried.has(one[1]));
      this.#current = next;
      if (next === undefined) break;
      tried.add(next[1]);
      const isWanted = (): boolean => round === this.#round && this.#wanted.get(next[0]) === next[1];
      try {
        await this.#fetchOne(next, isWanted);
      } catch (error) {
        // Told once, however often it is tried.
        if (isWanted() && retriesLeft === RETRIES) this.#parts.onProblem(error, next[0]);
      }
      if (round !== this.#round) return;
    }
    if (retriesLeft === 0 || ![...this.#wanted].some(isLacking)) return;
    this.#retry = setTimeout(() => void this.#fetchAll(retriesLeft - 1), RETRY_MS);
    this.#retry.unref();
  }

  async #fetchOne([name, hash]: Named, isWanted: () => boolean): Promise<void> {
    const { fetch, fetchChunk, onFetched } = this.#parts;
    const slices = createSlices();
    const pause = async (): Promise<void> => {
      await slices();
      if (!isWanted()) throw new UnwantedError(`segment ${name} is wanted no more, or in another version`);
    };
    const tables = this.#tables.get(name) ?? new Map<string, UserTable>();
    this.#tables.set(name, tables);
    const segment = await loadSegment([name, hash], this.#before.get(name), { fetch, fetchChunk, tables, pause });
    if (!isWanted()) return;
    this.#fetched.set(hash, segment);
    onFetched();
  }
}
