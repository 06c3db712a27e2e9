import type { UserTable } from "../contract/user-lists.ts";
import { type CompiledSegment, compileSegment, type Segments } from "../core/decide/segments.ts";
import { chunkBytes } from "../io/segment-chunks.ts";
import { readSegment } from "../io/segment-store.ts";
import type { Slices } from "../io/slices.ts";

/** A segment as it was fetched, with the hashes by which its parts are known again. */
export interface LoadedSegment {
  /** Of its index. */
  readonly hash: string;
  /** Of its chunks, by their number. */
  readonly hashes: readonly (string | undefined)[];
  readonly compiled: CompiledSegment;
}

/** Segments by name. */
export type LoadedSegments = ReadonlyMap<string, LoadedSegment>;

export interface SegmentLoading {
  fetch(hash: string): Promise<Uint8Array | undefined>;
  fetchChunk(hash: string): Promise<Uint8Array | undefined>;
  /** Takes the chunks that were fetched, so that a second attempt needs them no more. */
  readonly tables: Map<string, UserTable>;
  readonly pause: Slices;
}

/**
 * Fetches a segment: of one that was there before only chunks that are new, and the event loop has its turn between two of them.
 * Throws CorruptRulesError, or what fetching and pausing throw.
 */
export async function loadSegment(
  [name, hash]: readonly [string, string],
  before: LoadedSegment | undefined,
  loading: SegmentLoading,
): Promise<LoadedSegment> {
  for (const [chunk, known] of before?.hashes.entries() ?? []) {
    const table = before?.compiled.chunks[chunk];
    if (known !== undefined && table !== undefined) loading.tables.set(known, table);
  }
  const { ready, hashes } = await readSegment(name, hash, loading);
  return { hash, hashes, compiled: compileSegment(name, ready) };
}

/** The segments that a manifest names, all of them fetched, by the hash of their index. Throws as `loadSegment`. */
export async function loadSegments(
  named: Readonly<Record<string, string>>,
  { fetch, pause }: Pick<SegmentLoading, "fetch" | "pause">,
): Promise<ReadonlyMap<string, LoadedSegment>> {
  const loaded = new Map<string, LoadedSegment>();
  const loading = { fetch, fetchChunk: fetch, tables: new Map(), pause };
  for (const [name, hash] of Object.entries(named)) loaded.set(hash, await loadSegment([name, hash], undefined, loading));
  return loaded;
}

/** What there is of the segments that a manifest names. */
export interface SegmentsAtHand {
  /** Those in the version that is named, or else in the one before. */
  readonly segments: LoadedSegments;
  /** Name → hash of those that have to be fetched. */
  readonly lacking: ReadonlyMap<string, string>;
}

/** Looks for the segments that a manifest names among those in force and those that were fetched, by the hash of their index. */
export function segmentsAtHand(
  named: Readonly<Record<string, string>>,
  before: LoadedSegments,
  fetched: ReadonlyMap<string, LoadedSegment>,
): SegmentsAtHand {
  const segments = new Map<string, LoadedSegment>();
  const lacking = new Map<string, string>();
  for (const [name, hash] of Object.entries(named)) {
    const old = before.get(name);
    const next = old?.hash === hash ? old : fetched.get(hash);
    if (next === undefined) lacking.set(name, hash);
    const best = next ?? old;
    if (best !== undefined) segments.set(name, best);
  }
  return { segments, lacking };
}

/** Hashes of all blobs that segments are made of. */
export const blobsOf = (segments: LoadedSegments): string[] =>
  [...segments.values()].flatMap(({ hash, hashes }) => [hash, ...hashes.flatMap((chunk) => chunk ?? [])]);

/** The bytes of a chunk of segments that are loaded; undefined where it is none of theirs. */
export function loadedChunk(segments: LoadedSegments, hash: string): Uint8Array | undefined {
  for (const { hashes, compiled } of segments.values()) {
    const chunk = hashes.indexOf(hash);
    const table = compiled.chunks[chunk];
    if (table !== undefined) return chunkBytes(table);
  }
  return undefined;
}

/** The segments as rules ask for them; undefined where they are the same as before. */
export function changedSegments(next: LoadedSegments, before: LoadedSegments | undefined): Segments | undefined {
  const isSame = next.size === before?.size && [...next].every(([name, segment]) => before.get(name) === segment);
  return isSame ? undefined : new Map([...next].map(([name, { compiled }]) => [name, compiled]));
}
