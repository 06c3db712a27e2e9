import { HIGH_WORD, type UserTable } from "../contract/user-lists.ts";

const USER_BYTES = 8;

/** A chunk as it is stored: the hashes of a sorted table, the highest byte first. */
export const chunkBytes = (table: UserTable): Buffer => turned(new Uint8Array(table.buffer, table.byteOffset, table.byteLength));

/** A stored chunk as a table; undefined for bytes that are none. Whether it is sorted is not looked at. */
export function chunkTable(data: Uint8Array): UserTable | undefined {
  if (data.length === 0 || data.length % USER_BYTES !== 0) return undefined;
  const bytes = turned(data);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / Uint32Array.BYTES_PER_ELEMENT);
}

/** Whether bytes are a chunk that can be searched: whole users, each after the one before. */
export function isChunk(data: Uint8Array): boolean {
  const table = chunkTable(data);
  if (table === undefined) return false;
  for (let at = 2; at < table.length; at += 2) {
    const [high, before] = [Number(table[at + HIGH_WORD]), Number(table[at - 2 + HIGH_WORD])];
    if (high < before || (high === before && Number(table[at + 1 - HIGH_WORD]) <= Number(table[at - 1 - HIGH_WORD]))) return false;
  }
  return true;
}

/** A copy with memory of its own, each 64-bit integer turned between the order of bytes in memory and in a chunk. */
function turned(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(new Uint8Array(bytes).buffer);
  return HIGH_WORD === 1 ? copy.swap64() : copy;
}
