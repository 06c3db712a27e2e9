import { type SegmentPlan, segmentSalt } from "../../src/contract/segments.ts";
import { tableOfHashes, type UserTable } from "../../src/contract/user-lists.ts";
import { hashKey } from "../../src/core/decide/bucket.ts";
import { chunkBitsFor, cutIntoChunks } from "../../src/core/decide/segment-chunks.ts";
import { sha256 } from "../../src/io/rules-store.ts";
import { chunkBytes } from "../../src/io/segment-chunks.ts";

/** A segment as the command line cuts it: its plan, and its chunks by their hashes. */
export function cutUsers(name: string, users: readonly string[]): { plan: SegmentPlan; chunks: Map<string, Buffer> } {
  return cutTable(name, tableOfHashes(users.map((user) => hashKey(segmentSalt(name), user))));
}

/** The same for users who are hashed already. */
export function cutTable(name: string, table: UserTable): { plan: SegmentPlan; chunks: Map<string, Buffer> } {
  const users = table.length / 2;
  const chunkBits = chunkBitsFor(users);
  const contents = [...cutIntoChunks(table, chunkBits)].map(([number, chunk]) => [String(number), chunkBytes(chunk)] as const);
  const chunks = Object.fromEntries(contents.map(([number, bytes]) => [number, sha256(bytes)]));
  const plan: SegmentPlan = { apiVersion: "serin/v1", kind: "Segment", name, users, chunkBits, chunks };
  return { plan, chunks: new Map(contents.map(([, bytes]) => [sha256(bytes), bytes])) };
}

/** So many user ids. */
export const manyUsers = (count: number): string[] => Array.from({ length: count }, (_, index) => `user-${index}`);
