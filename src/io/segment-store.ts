import { FORMAT } from "../contract/names.ts";
import { type ReadySegment, type SegmentIndex, SegmentIndexSchema, type SegmentPlan } from "../contract/segments.ts";
import type { UserTable } from "../contract/user-lists.ts";
import { CorruptRulesError, decodeJson, sha256 } from "./rules-store.ts";
import { chunkTable } from "./segment-chunks.ts";

/** A segment's index as stored, and its hash, which a manifest names. */
export function encodeIndex({ name, when, chunkBits, chunks }: SegmentPlan): { readonly hash: string; readonly text: string } {
  const index: SegmentIndex = { format: FORMAT, name, ...(when === undefined ? {} : { when }), chunkBits, chunks };
  const text = JSON.stringify(index);
  return { hash: sha256(text), text };
}

/** A segment that was read, with the hashes of its chunks by their number. */
export interface StoredSegment {
  readonly ready: ReadySegment;
  readonly hashes: readonly (string | undefined)[];
}

interface Reading {
  /** Gives the bytes of a blob; undefined where there is none. */
  fetch(hash: string): Promise<Uint8Array | undefined>;
  /** The same for the bytes of a chunk, which are a table at once and need not be held. */
  fetchChunk(hash: string): Promise<Uint8Array | undefined>;
  /** Chunks by hash that are here already; takes those that were fetched. */
  readonly tables: Map<string, UserTable>;
  /** Called after each chunk. */
  pause?(): Promise<void>;
}

/** Chunks on their way at once: enough to hide the way, few enough to hold little. */
const AT_ONCE = 4;

/** Reads a segment by the hash of its index, and fetches only chunks that are not here. Throws CorruptRulesError, or what fetching throws. */
export async function readSegment(name: string, hash: string, { fetch, fetchChunk, tables, pause }: Reading): Promise<StoredSegment> {
  const text = Buffer.from(await fetched(hash, fetch)).toString("utf8");
  const index = decodeJson(SegmentIndexSchema, text, `index ${hash} of segment ${name}`);
  if (index.name !== name) throw new CorruptRulesError(`index ${hash} of segment ${name} is that of ${index.name}`);
  const wanted = Object.values(index.chunks).filter((chunk) => !tables.has(chunk));
  const takeNext = async (): Promise<void> => {
    for (let chunk = wanted.pop(); chunk !== undefined; chunk = wanted.pop()) {
      const table = chunkTable(await fetched(chunk, fetchChunk));
      if (table === undefined) throw new CorruptRulesError(`blob ${chunk} holds no users of segment ${name}`);
      tables.set(chunk, table);
      await pause?.();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, takeNext));
  const hashes = Array.from({ length: 2 ** index.chunkBits }, (_, chunk) => index.chunks[String(chunk)]);
  const chunks = hashes.map((chunk) => (chunk === undefined ? undefined : tables.get(chunk)));
  return { ready: { when: index.when, chunkBits: index.chunkBits, chunks }, hashes };
}

async function fetched(hash: string, fetch: Reading["fetch"]): Promise<Uint8Array> {
  const data = await fetch(hash);
  if (data === undefined) throw new CorruptRulesError(`blob ${hash} is not in the store`);
  if (sha256(data) !== hash) throw new CorruptRulesError(`blob ${hash} does not have its hash`);
  return data;
}
