import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { inflateRawSync } from "node:zlib";

/** A file inside a wheel, which is a zip. */
interface Member {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly packedBytes: number;
  readonly headerAt: number;
}

/** A file taken out of a wheel, checked against the wheel's own list of hashes. */
export interface WheelFile {
  readonly name: string;
  readonly content: Buffer;
}

/**
 * Takes the one file whose path ends in `suffix` out of a wheel. Throws when there is none or more than one, and when its
 * sha256 is not the one in the wheel's RECORD (PyPA, "Recording installed projects").
 */
export async function readWheelFile(path: string, suffix: string): Promise<WheelFile> {
  const wheel = await readFile(path);
  const members = listMembers(wheel);
  const member = only(members, suffix);
  const content = contentOf(wheel, member);
  const record = contentOf(wheel, only(members, ".dist-info/RECORD")).toString("utf8");
  const listed = record
    .split(/\r?\n/)
    .map((line) => line.split(","))
    .find(([name]) => name === member.name)?.[1];
  const found = `sha256=${createHash("sha256").update(content).digest("base64url")}`;
  if (listed !== found) throw new Error(`${member.name} in the wheel has the hash ${found}, but its RECORD says ${listed ?? "nothing"}`);
  return { name: member.name, content };
}

function only(members: readonly Member[], suffix: string): Member {
  const [member, ...others] = members.filter(({ name }) => name === suffix || name.endsWith(suffix));
  if (member === undefined || others.length > 0)
    throw new Error(`the wheel should hold one ${suffix}, and holds ${others.length + (member ? 1 : 0)}`);
  return member;
}

// Offsets below are those of PKWARE's APPNOTE 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end).
const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;

function listMembers(zip: Buffer): Member[] {
  const end = endOf(zip);
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  return Array.from({ length: count }, () => {
    if (zip.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new Error("the wheel's list of files is damaged");
    const nameBytes = zip.readUInt16LE(at + 28);
    const member = {
      method: zip.readUInt16LE(at + 10),
      packedBytes: zip.readUInt32LE(at + 20),
      headerAt: zip.readUInt32LE(at + 42),
      name: zip.toString("utf8", at + 46, at + 46 + nameBytes),
    };
    at += 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    return member;
  });
}

function endOf(zip: Buffer): number {
  const lowest = Math.max(0, zip.length - END_BYTES - MAX_COMMENT_BYTES);
  for (let at = zip.length - END_BYTES; at >= lowest; at -= 1) if (zip.readUInt32LE(at) === END_SIGNATURE) return at;
  throw new Error("the wheel is no zip file, or only the beginning of one");
}

function contentOf(zip: Buffer, { name, method, packedBytes, headerAt }: Member): Buffer {
  if (zip.readUInt32LE(headerAt) !== LOCAL_SIGNATURE) throw new Error(`${name} in the wheel is damaged`);
  const begin = headerAt + 30 + zip.readUInt16LE(headerAt + 26) + zip.readUInt16LE(headerAt + 28);
  const packed = zip.subarray(begin, begin + packedBytes);
  switch (method) {
    case 0:
      return Buffer.from(packed);
    case 8:
      return inflateRawSync(packed);
    default:
      throw new Error(`${name} in the wheel is packed by method ${method}, which is not supported`);
  }
}
