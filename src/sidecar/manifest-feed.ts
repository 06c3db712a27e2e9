import { compareRevision } from "../contract/rules.ts";
import type { Logger } from "../io/log.ts";
import type { ManifestText } from "../io/manifest-text.ts";
import type { NatsLink } from "../io/nats.ts";
import { blobFetcher } from "../io/rules-reader.ts";
import { CorruptRulesError, decodeManifestText, isNewer } from "../io/rules-store.ts";
import { createSlices, nextTurn, type Slices } from "../io/slices.ts";
import type { Awaited, CurrentRules } from "./current-rules.ts";
import { type FetchBlob, type LoadedManifest, loadManifest, type Shelf } from "./manifest-loader.ts";
import type { KeptRules } from "./rules-disk.ts";
import { SegmentFetcher } from "./segment-fetcher.ts";
import { blobsOf, loadedChunk } from "./segment-loader.ts";

/** Takes manifests as they come, in whatever order, and puts the newest in force. */
export interface ManifestFeed {
  /** Never throws: a manifest that cannot be used is counted, logged once and told in the receipt. */
  offer(data: Uint8Array): void;
  refuse(error: unknown): void;
  /** Resolves when those that came are in force, or wait to be tried again. */
  settled(): Promise<void>;
  stop(): void;
}

/** What a feed needs besides the connection. */
export interface FeedParts {
  readonly rules: CurrentRules;
  readonly log: Logger;
  /** A manifest took force that was published then, Unix milliseconds. */
  onInForce?(publishedAtMs: number): void;
  /** The manifest that was read from disk. */
  loaded?(): LoadedManifest | undefined;
  /** Keeps the rules that took force; settles when that is done, and never rejects. */
  keep?(rules: KeptRules): Promise<void>;
}

/** A blob may lack on a replica that lags, or NATS may not answer: the manifest is tried again before the next repair. */
const RETRY_MS = 500;
const RETRIES = 20;

interface Waiting {
  readonly data: Uint8Array;
  readonly manifest: ManifestText;
  /** Of the work that began when it came. */
  readonly pause: Slices;
  readonly retriesLeft: number;
}

/**
 * One manifest at a time, the newest of those that wait: fetching blobs must not let an older one overtake. Segments are fetched
 * beside it: a manifest takes force without those that are not here, and again as they come, unless a newer one did.
 */
export const createManifestFeed = (link: NatsLink, parts: FeedParts): ManifestFeed => new Feed(link, parts);

class Feed implements ManifestFeed {
  readonly #parts: FeedParts;
  readonly #segments: SegmentFetcher;
  readonly #put: (next: Waiting) => Promise<Awaited | undefined>;
  #read: ManifestText | undefined;
  #waiting: Waiting | undefined;
  /** The one in force, while segments of it are fetched. */
  #unfinished: Waiting | undefined;
  #hasMore = false;
  #isStopped = false;
  /** Until the last that came is read. */
  #arriving: Promise<void> | undefined;
  #working: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(link: NatsLink, parts: FeedParts) {
    this.#parts = parts;
    this.#read = parts.loaded?.()?.manifest;
    const blobs = createBlobs(link, parts);
    this.#segments = new SegmentFetcher({
      ...blobs,
      onFetched: () => {
        this.#hasMore = true;
        this.#work();
      },
      onProblem: (error, segment) => this.#say(error, { segment }),
    });
    this.#put = createPutter(blobs, this.#segments, parts);
  }

  offer(data: Uint8Array): void {
    // To receive a megabyte has cost this turn of the loop enough.
    this.#arriving = nextTurn().then(() => this.#decode(data));
  }

  #decode(data: Uint8Array): void {
    if (this.#isStopped) return;
    try {
      const pause = createSlices();
      this.#read = decodeManifestText(data, this.#read);
      this.#take({ data, manifest: this.#read, pause, retriesLeft: RETRIES });
    } catch (error) {
      this.refuse(error);
    }
  }

  refuse(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    const { rules, log } = this.#parts;
    if (rules.reject(problem)) log.error({ problem }, "rules refused, the last good ones stay");
  }

  async settled(): Promise<void> {
    await this.#arriving;
    await this.#working;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    this.#segments.stop();
  }

  #say(error: unknown, what: { readonly revision: number } | { readonly segment: string }): void {
    if (error instanceof CorruptRulesError) this.refuse(error);
    else this.#parts.log.warn({ error, ...what }, "rules could not be fetched whole, trying again");
  }

  #take(next: Waiting): void {
    clearTimeout(this.#retry);
    if (this.#waiting === undefined || isNewer(next.manifest.head, this.#waiting.manifest.head)) this.#waiting = next;
    this.#work();
  }

  #work(): void {
    this.#working ??= this.#takeAll();
  }

  async #takeAll(): Promise<void> {
    // Its caller keeps the promise first: what comes meanwhile is taken by this loop.
    await Promise.resolve();
    for (let next = this.#next(); next !== undefined; next = this.#next()) await this.#takeOne(next);
    this.#working = undefined;
  }

  #next(): Waiting | undefined {
    const more = this.#hasMore && this.#unfinished !== undefined ? { ...this.#unfinished, pause: createSlices() } : undefined;
    const next = this.#waiting ?? more;
    this.#waiting = undefined;
    this.#hasMore = false;
    return next;
  }

  async #takeOne(next: Waiting): Promise<void> {
    const { rules, log } = this.#parts;
    const { epoch, revision } = next.manifest.head;
    const isMore = this.#unfinished !== undefined && compareRevision(next.manifest.head, rules.compiled()) === 0;
    if (!isMore && !isNewer(next.manifest.head, rules.compiled())) return rules.confirm({ epoch, revision });
    try {
      const awaited = await this.#put(next);
      if (awaited === undefined) return;
      if (!isMore) this.#parts.onInForce?.(next.manifest.head.issuedAtMs);
      this.#unfinished = awaited.segments.length === 0 ? undefined : next;
      log.info({ epoch, revision, ...(this.#unfinished === undefined ? {} : { awaited }) }, "rules in force");
    } catch (error) {
      // Counted once, however often it is tried.
      if (next.retriesLeft === RETRIES) this.#say(error, { revision });
      if (next.retriesLeft === 0) return;
      const again = { ...next, retriesLeft: next.retriesLeft - 1 };
      this.#retry = setTimeout(() => this.#take({ ...again, pause: createSlices() }), RETRY_MS);
      this.#retry.unref();
    }
  }
}

interface Blobs {
  /** Holds the bytes for the disk. */
  readonly fetch: FetchBlob;
  /** For chunks of segments, which are tables at once. */
  readonly fetchChunk: FetchBlob;
  /** Holds nothing but these any more: none where the disk has what it needs. */
  holdOnly(hashes: readonly string[]): void;
}

function createBlobs(link: NatsLink, { keep }: FeedParts): Blobs {
  const fetchChunk = blobFetcher(link);
  const fetched = new Map<string, Uint8Array>();
  const fetch = async (hash: string): Promise<Uint8Array | undefined> => {
    const data = fetched.get(hash) ?? (await fetchChunk(hash));
    if (data !== undefined && keep !== undefined) fetched.set(hash, data);
    return data;
  };
  const holdOnly = (hashes: readonly string[]): void => {
    const left = new Set(hashes);
    for (const hash of fetched.keys()) if (!left.has(hash)) fetched.delete(hash);
  };
  return { fetch, fetchChunk, holdOnly };
}

/** Puts a manifest in force as it differs from the one before, and tells what of it is not here yet; undefined when it is not newer any more. Throws as `loadManifest`. */
function createPutter(
  { fetch, holdOnly }: Blobs,
  segments: SegmentFetcher,
  { rules, loaded, keep }: FeedParts,
): (next: Waiting) => Promise<Awaited | undefined> {
  const shelves = new Map<string, Shelf>();
  let last = loaded?.();
  return async ({ data, manifest, pause }) => {
    const inForce = rules.compiled();
    // Rules of another source stand between, or none at all: everything counts as changed.
    const before = last !== undefined && compareRevision(last.manifest.head, inForce) === 0 ? last : undefined;
    const next = await loadManifest(manifest, { loaded: before, inForce }, { shelves, fetch, segments: segments.fetched, pause });
    const { lacking, held } = next.loaded;
    const awaited = { segments: [...lacking.keys()], rollouts: [...held.keys()] };
    if (!rules.offer(next.change, awaited)) return undefined;
    last = next.loaded;
    shelves.clear();
    segments.want(lacking, last.segments);
    // Only rules that are whole are kept: a start from disk has nothing else to complete them from.
    if (lacking.size === 0) {
      const bytesOf: FetchBlob = async (hash) => loadedChunk(next.loaded.segments, hash) ?? (await fetch(hash));
      const hashes = [...Object.values(manifest.head.blobs), ...blobsOf(next.loaded.segments)];
      void keep?.({ manifest: data, blobs: hashes, fetch: bytesOf }).then(() => holdOnly([]));
    } else holdOnly([...Object.values(manifest.head.blobs), ...Object.values(manifest.head.segments ?? {})]);
    return awaited;
  };
}
