import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DocumentError } from "../contract/errors.ts";
import { MAX_USERS, type UserTable } from "../contract/user-lists.ts";
import type { SegmentDocument } from "../io/documents.ts";
import { type CutSegment, cutTable, SegmentUsers } from "../told/segment-cut.ts";

const LONGEST_KEY = 1_024;

/** Hashes a segment's users, those of its file too. Throws DocumentError where that file cannot be used. */
export async function segmentTable({ segment, faultAt }: SegmentDocument): Promise<UserTable> {
  const { usersFrom } = segment;
  const users = new SegmentUsers(segment);
  if (usersFrom !== undefined) {
    const refuse = (problem: string, fix: string): DocumentError => new DocumentError([faultAt(["usersFrom"], problem, fix)]);
    for (const [index, user] of linesOf(await textBeside(faultAt([], "", "").file, usersFrom, refuse)).entries()) {
      if (user.length > LONGEST_KEY)
        throw refuse(`line ${index + 1} of ${usersFrom} has ${user.length} characters`, `write one key a line, ${LONGEST_KEY} at most`);
      if (user !== "") users.add(user);
    }
    if (users.size === 0) throw refuse(`${usersFrom} names nobody`, "write one key a line");
    if (users.size > MAX_USERS)
      throw refuse(`with ${usersFrom} the segment has ${users.size} users`, `write at most ${MAX_USERS}, or several segments`);
  }
  return users.table();
}

/** Cuts a segment into the chunks that are sent apart. */
export const cutSegment = async (document: SegmentDocument): Promise<CutSegment> =>
  cutTable(document.segment, await segmentTable(document));

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
