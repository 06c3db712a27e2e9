import type { Command, Reply } from "../contract/messages.ts";
import { type Segment, type SegmentPlan, segmentSalt } from "../contract/segments.ts";
import { type UserTable, UserTableBuilder } from "../contract/user-lists.ts";
import { highWord, lowWord, seedOf } from "../core/decide/bucket.ts";
import { chunkBitsFor, cutIntoChunks, withoutRepetitions } from "../core/decide/segment-chunks.ts";
import { sha256 } from "../io/rules-store.ts";
import { chunkBytes } from "../io/segment-chunks.ts";

/** A segment as it is handed to the leader: its plan, and the chunks of its users by their hashes. */
export interface CutSegment {
  readonly plan: SegmentPlan;
  readonly chunks: ReadonlyMap<string, Buffer>;
}

/** Hashes users of a segment as they are given, each once. */
export class SegmentUsers {
  readonly #seed: number;
  readonly #builder = new UserTableBuilder();

  constructor({ name, users = [] }: Pick<Segment, "name" | "users">) {
    this.#seed = seedOf(segmentSalt(name));
    for (const user of users) this.add(user);
  }

  add(user: string): void {
    this.#builder.add(highWord(this.#seed, user), lowWord(this.#seed, user));
  }

  /** Those that were given, repetitions included. */
  get size(): number {
    return this.#builder.size;
  }

  table(): UserTable {
    return withoutRepetitions(this.#builder.finish());
  }
}

/** Cuts a segment with these users into the chunks that are sent apart. */
export function cutTable({ apiVersion, kind, name, when }: Segment, table: UserTable): CutSegment {
  const users = table.length / 2;
  const chunkBits = chunkBitsFor(users);
  const chunks: Record<string, string> = {};
  const contents = new Map<string, Buffer>();
  for (const [number, chunk] of cutIntoChunks(table, chunkBits)) {
    const bytes = chunkBytes(chunk);
    const hash = sha256(bytes);
    chunks[String(number)] = hash;
    contents.set(hash, bytes);
  }
  return { plan: { apiVersion, kind, name, ...(when === undefined ? {} : { when }), users, chunkBits, chunks }, chunks: contents };
}

/** Chunks may be purged, or leaders change, between the sending of chunks and the apply. */
const ATTEMPTS = 3;

/** Hands a segment to the leader by `give`, with those of its chunks that are not in the store yet. */
export async function handOver(
  { plan, chunks }: CutSegment,
  give: (command: Pick<Command, "verb" | "document" | "chunk">) => Promise<Reply>,
): Promise<Reply> {
  let reply = await give({ verb: "apply", document: plan });
  for (let attempt = 1; attempt < ATTEMPTS && reply.lacking !== undefined; attempt += 1) {
    for (const hash of reply.lacking) {
      const stored = await give({ verb: "store", chunk: chunks.get(hash)?.toString("base64") ?? "" });
      if (stored.result !== "done") return stored;
    }
    reply = await give({ verb: "apply", document: plan });
  }
  return reply;
}
