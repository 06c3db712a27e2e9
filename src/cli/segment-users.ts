import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DocumentError } from "../contract/errors.ts";
import { type SegmentPlan, segmentSalt } from "../contract/segments.ts";
import { MAX_USERS, type UserTable, UserTableBuilder } from "../contract/user-lists.ts";
import { highWord, lowWord, seedOf } from "../core/decide/bucket.ts";
import { chunkBitsFor, cutIntoChunks, withoutRepetitions } from "../core/decide/segment-chunks.ts";
import type { SegmentDocument } from "../io/documents.ts";
import { sha256 } from "../io/rules-store.ts";
import { chunkBytes } from "../io/segment-chunks.ts";

const LONGEST_KEY = 1_024;

/** A segment as it leaves the operator's machine: its plan, and the chunks of its users by their hashes. */
export interface CutSegment {
  readonly plan: SegmentPlan;
  readonly chunks: ReadonlyMap<string, Buffer>;
}

/** Hashes a segment's users, those of its file too. Throws DocumentError where that file cannot be used. */
export async function segmentTable({ segment, faultAt }: SegmentDocument): Promise<UserTable> {
  const { name, users = [], usersFrom } = segment;
  const seed = seedOf(segmentSalt(name));
  const builder = new UserTableBuilder();
  const add = (user: string): void => builder.add(highWord(seed, user), lowWord(seed, user));
  users.forEach(add);
  if (usersFrom !== undefined) {
    const refuse = (problem: string, fix: string): DocumentError => new DocumentError([faultAt(["usersFrom"], problem, fix)]);
    for (const [index, user] of linesOf(await textBeside(faultAt([], "", "").file, usersFrom, refuse)).entries()) {
      if (user.length > LONGEST_KEY)
        throw refuse(`line ${index + 1} of ${usersFrom} has ${user.length} characters`, `write one key a line, ${LONGEST_KEY} at most`);
      if (user !== "") add(user);
    }
    if (builder.size === 0) throw refuse(`${usersFrom} names nobody`, "write one key a line");
    if (builder.size > MAX_USERS)
      throw refuse(`with ${usersFrom} the segment has ${builder.size} users`, `write at most ${MAX_USERS}, or several segments`);
  }
  return withoutRepetitions(builder.finish());
}

/** Cuts a segment into the chunks that are sent apart. */
export async function cutSegment(document: SegmentDocument): Promise<CutSegment> {
  const table = await segmentTable(document);
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
  const { apiVersion, kind, name, when } = document.segment;
  return { plan: { apiVersion, kind, name, ...(when === undefined ? {} : { when }), users, chunkBits, chunks }, chunks: contents };
}

/** Keys stand as they are, spaces and # too; only the end of a line is none of theirs, and a mark that some editors put first. */
const linesOf = (text: string): string[] => text.replace(/^\uFEFF/, "").split(/\r?\n/);

async function textBeside(file: string, name: string, refuse: (problem: string, fix: string) => DocumentError): Promise<string> {
  try {
    return await readFile(resolve(dirname(file), name), "utf8");
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw refuse(`${name} cannot be read (${String(error.code)})`, "name a file by its place relative to this one");
  }
}
