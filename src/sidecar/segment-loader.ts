import type { UserTable } from "../contract/user-lists.ts";
import { type CompiledSegment, compileSegment, type Segments } from "../core/decide/segments.ts";
import { chunkBytes } from "../io/segment-chunks.ts";
import { readSegment } from "../io/segment-store.ts";
import type { Slices } from "../io/slices.ts";

/** A segment in force, with the hashes by which its parts are known again. */
interface LoadedSegment {
  /** Of its index. */
  readonly hash: string;
  /** Of its chunks, by their number. */
  readonly hashes: readonly (string | undefined)[];
  readonly compiled: CompiledSegment;
}

/** Segments by name. */
export type LoadedSegments = ReadonlyMap<string, LoadedSegment>;

interface Loading {
  fetch(hash: string): Promise<Uint8Array | undefined>;
  fetchChunk(hash: string): Promise<Uint8Array | undefined>;
  /** Takes the chunks that were fetched, so that a second attempt needs them no more. */
  readonly tables: Map<string, UserTable>;
  readonly pause: Slices;
}

/**
 * The segments that a manifest names. One whose index is the same stays the same object, and of the others only chunks that are
 * new are fetched; the event loop has its turn between two of them. Throws CorruptRulesError, or what fetching throws.
 */
export async function loadSegments(
  named: Readonly<Record<string, string>>,
  before: LoadedSegments,
  { tables, ...loading }: Loading,
): Promise<LoadedSegments> {
  const next = new Map<string, LoadedSegment>();
  for (const [name, hash] of Object.entries(named)) {
    const old = before.get(name);
    if (old?.hash === hash) {
      next.set(name, old);
      continue;
    }
    for (const [chunk, known] of old?.hashes.entries() ?? []) {
      const table = old?.compiled.chunks[chunk];
      if (known !== undefined && table !== undefined) tables.set(known, table);
    }
    const { ready, hashes } = await readSegment(name, hash, { ...loading, tables });
    next.set(name, { hash, hashes, compiled: compileSegment(name, ready) });
  }
  return next;
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
