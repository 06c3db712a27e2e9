import { HIGH_WORD, LOW_WORD, type UserTable } from "../../contract/user-lists.ts";

/** A chunk of so many users is small enough: a change sends it whole. */
const CHUNK_USERS = 1_024;
const MAX_CHUNK_BITS = 6;

/** How many first bits of the hash choose a chunk, for so many users: fewer chunks for few, 64 at most. */
export function chunkBitsFor(users: number): number {
  let bits = 0;
  while (bits < MAX_CHUNK_BITS && users > CHUNK_USERS * 2 ** bits) bits += 1;
  return bits;
}

/** Number of the chunk that a user stands in, by the high word of its hash. */
export const chunkOf = (high: number, bits: number): number => (bits === 0 ? 0 : high >>> (32 - bits));

/** A sorted table without repetitions, cut by the first bits of the hashes; empty chunks are left out. */
export function cutIntoChunks(table: UserTable, bits: number): ReadonlyMap<number, UserTable> {
  const chunks = new Map<number, UserTable>();
  for (let from = 0; from < table.length; ) {
    const chunk = chunkOf(Number(table[from + HIGH_WORD]), bits);
    let to = from + 2;
    while (to < table.length && chunkOf(Number(table[to + HIGH_WORD]), bits) === chunk) to += 2;
    chunks.set(chunk, table.slice(from, to));
    from = to;
  }
  return chunks;
}

/** The same sorted table with each user once. */
export function withoutRepetitions(table: UserTable): UserTable {
  const kept = new Uint32Array(table.length);
  let used = 0;
  for (let at = 0; at < table.length; at += 2) {
    const isSame = used > 0 && kept[used - 2 + HIGH_WORD] === table[at + HIGH_WORD] && kept[used - 2 + LOW_WORD] === table[at + LOW_WORD];
    if (isSame) continue;
    kept.set(table.subarray(at, at + 2), used);
    used += 2;
  }
  return kept.slice(0, used);
}
