import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";

/** Bytes of a small wheel with these files and a RECORD of their hashes, where one can be made wrong. */
export function buildWheel(files: Readonly<Record<string, string>>, wrongHashOf?: string): Buffer {
  const record = Object.entries(files).map(([name, text]) => {
    const content = name === wrongHashOf ? `${text}, altered` : text;
    return `${name},sha256=${createHash("sha256").update(content).digest("base64url")},${content.length}`;
  });
  const all = { ...files, "some-1.0.dist-info/RECORD": `${record.join("\n")}\nsome-1.0.dist-info/RECORD,,\n` };
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const [name, text] of Object.entries(all)) {
    const packed = name.endsWith(".stored") ? Buffer.from(text) : deflateRawSync(text);
    const method = name.endsWith(".stored") ? 0 : 8;
    const local = Buffer.concat([
      header(
        30,
        0x04034b50,
        [
          [8, method],
          [26, name.length],
        ],
        [],
      ),
      Buffer.from(name),
      packed,
    ]);
    entries.push(
      Buffer.concat([
        header(
          46,
          0x02014b50,
          [
            [10, method],
            [28, name.length],
          ],
          [
            [20, packed.length],
            [42, at],
          ],
        ),
        Buffer.from(name),
      ]),
    );
    locals.push(local);
    at += local.length;
  }
  const size = Object.keys(all).length;
  const directoryBytes = Buffer.concat(entries).length;
  const end = header(
    22,
    0x06054b50,
    [
      [8, size],
      [10, size],
    ],
    [
      [12, directoryBytes],
      [16, at],
    ],
  );
  return Buffer.concat([...locals, ...entries, end]);
}

/** A zip structure of so many bytes with its signature, 16-bit and 32-bit fields at their offsets. */
function header(bytes: number, signature: number, shorts: readonly [number, number][], longs: readonly [number, number][]): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUInt32LE(signature, 0);
  for (const [at, value] of longs) buffer.writeUInt32LE(value, at);
  for (const [at, value] of shorts) buffer.writeUInt16LE(value, at);
  return buffer;
}
