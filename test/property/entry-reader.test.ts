import { createHash } from "node:crypto";
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { tableOfHashes } from "../../src/contract/user-lists.ts";
import { type ByteSource, bytesSource, type EntryText, type ReadEntries, readEntries } from "../../src/io/entry-reader.ts";

/** Bytes that come in pieces of a few, as no file would give them: every boundary is met. */
const inPieces = (bytes: Buffer, most: number): ByteSource => ({
  read: (buffer, position) => bytesSource(bytes).read(buffer.subarray(0, most), position),
});

const read = (source: ByteSource, known = new Map<string, string>()): Promise<ReadEntries<EntryText>> =>
  readEntries(source, { container: "rollouts", known, parse: (entry) => entry });

const values = fc.jsonValue({ maxDepth: 3, stringUnit: "grapheme" });
const names = fc.string({ unit: "grapheme", maxLength: 6 }).filter((name) => name !== "__proto__");
const documents = fc.record({
  format: values,
  more: fc.dictionary(
    names.filter((name) => name !== "rollouts" && name !== "format"),
    values,
    { maxKeys: 3 },
  ),
  rollouts: fc.dictionary(names, values, { maxKeys: 6 }),
  indent: fc.constantFrom(undefined, 1, "\t"),
});
const textOf = ({
  format,
  more,
  rollouts,
  indent,
}: {
  format: unknown;
  more: object;
  rollouts: object;
  indent: string | number | undefined;
}) => JSON.stringify({ format, rollouts, ...more }, undefined, indent);

describe("a document that is read by entries", () => {
  test.prop([documents, fc.integer({ min: 1, max: 50 })], { numRuns: 500 })(
    "is the one that is parsed whole, wherever its bytes are cut",
    async (document, most) => {
      const text = textOf(document);
      const { fields, changed } = await read(inPieces(Buffer.from(text), most));
      const rollouts = Object.fromEntries([...changed].map(([name, entry]) => [name, JSON.parse(entry.text)]));
      expect({ ...fields, rollouts }).toEqual(JSON.parse(text));
    },
  );

  test.prop([documents, fc.nat(), fc.constantFrom("{", "}", "[", "]", '"', ",", ":", "1", "\\", " ", "x")], { numRuns: 2_000 })(
    "with one more character is refused where JSON refuses it",
    async (document, at, character) => {
      const text = textOf(document);
      const place = at % (text.length + 1);
      const broken = text.slice(0, place) + character + text.slice(place);
      const whole = await Promise.resolve(broken)
        .then(JSON.parse)
        .then(String, () => "refused");
      const parsed = await readEntries(bytesSource(Buffer.from(broken)), {
        container: "rollouts",
        known: new Map(),
        parse: (entry) => JSON.parse(entry.text),
      }).then(String, () => "refused");
      // A name that stands twice is JSON, and refused all the same.
      const isTwice = whole !== "refused" && JSON.stringify(JSON.parse(broken)).length < JSON.stringify(JSON.parse(text)).length;
      expect(parsed === "refused").toBe(whole === "refused" || (isTwice && parsed === "refused"));
    },
  );

  test.prop([documents], { numRuns: 200 })(
    "names each entry by the sha256 of its bytes, and hands over only those that are not known",
    async (document) => {
      const text = JSON.stringify({ rollouts: document.rollouts });
      const first = await read(bytesSource(Buffer.from(text)));
      for (const [name, value] of Object.entries(document.rollouts))
        expect(first.fingerprints.get(name)).toBe(createHash("sha256").update(JSON.stringify(value)).digest("base64"));
      const again = await read(inPieces(Buffer.from(text), 7), new Map(first.fingerprints));
      expect([again.changed.size, again.fingerprints]).toEqual([0, first.fingerprints]);
    },
  );
});

const hashes = fc.array(fc.stringMatching(/^[0-9a-f]{16}$/), { minLength: 1, maxLength: 8 });

describe("entries too large to be held", () => {
  const padding = "p".repeat(70_000);

  test.prop(
    [fc.array(hashes, { maxLength: 3 }), fc.integer({ min: 1, max: 40 }).map((size) => size * 999), fc.constantFrom(undefined, 1)],
    {
      numRuns: 60,
    },
  )("keep their text, and their lists become tables", async (lists, most, indent) => {
    const targets = lists.map((list, index) =>
      index % 2 === 0 ? { userHashes: list } : { packedUsers: Buffer.from(list.join(""), "hex").toString("base64") },
    );
    const entry = { padding, 'a "key": [': "ü\\", targets, end: true };
    const source = inPieces(Buffer.from(JSON.stringify({ rollouts: { large: entry } }, undefined, indent)), most);
    const { changed } = await read(source);
    const left = targets.map((target) => ("userHashes" in target ? { userHashes: [] } : { packedUsers: "" }));
    expect(JSON.parse(changed.get("large")?.text ?? "")).toEqual({ ...entry, targets: left });
    expect(changed.get("large")?.tables).toEqual(lists.map((list) => tableOfHashes(list)));
  });

  test.each([
    ["a hash of 15 digits", '{"userHashes":["0123456789abcde"]}', "userHashes: not a list of 16 hex digits each"],
    ["a hash of 17 digits", '{"userHashes":["0123456789abcdef0"]}', "userHashes: not a list of 16 hex digits each"],
    ["a hash in upper case", '{"userHashes":["0123456789ABCDEF"]}', "userHashes: not a list of 16 hex digits each"],
    ["a number among hashes", '{"userHashes":[1]}', "userHashes: not a list of 16 hex digits each"],
    ["a comma too many", '{"userHashes":["0123456789abcdef",]}', "userHashes: not a list of 16 hex digits each"],
    ["a comma too few", '{"userHashes":["0123456789abcdef""0123456789abcdef"]}', "userHashes: not a list of 16 hex digits each"],
    ["no user", '{"userHashes":[]}', "userHashes: not a list of 16 hex digits each"],
    ["half a user", '{"packedUsers":"AAAAAA=="}', "packedUsers: not a packed list of users"],
    ["other letters", '{"packedUsers":"AAAAAAAAA-_="}', "packedUsers: not a packed list of users"],
    ["nothing packed", '{"packedUsers":""}', "packedUsers: not a packed list of users"],
  ])("are refused with %s", async (_title, list, problem) => {
    const text = `{"rollouts":{"large":{"padding":"${padding}","when":${list}}}}`;
    await expect(read(bytesSource(Buffer.from(text)))).rejects.toThrow(problem);
  });

  test("are refused with more users than a list may have", async () => {
    const packed = Buffer.alloc(8 * 1_000_001).toString("base64");
    await expect(read(bytesSource(Buffer.from(`{"rollouts":{"large":{"packedUsers":"${packed}"}}}`)))).rejects.toThrow(
      "packedUsers: more than 1000000 users",
    );
  });
});

test.each([
  ['{"rollouts":{"a":1,"a":2}}', "rollouts.a stands twice"],
  ['{"format":1,"format":1}', "format stands twice"],
  [`{"format":"${"x".repeat(70_000)}"}`, "format is too large"],
])("%s is refused though it is JSON", async (text, problem) => {
  await expect(read(bytesSource(Buffer.from(text)))).rejects.toThrow(problem);
});

test("a source that fails is not read as one that ends", async () => {
  const source: ByteSource = {
    read: (buffer, position) =>
      position === 0 ? bytesSource(Buffer.from('{"rollouts":{}}')).read(buffer, 0) : Promise.reject(new Error("unreadable")),
  };
  await expect(read(source)).rejects.toThrow("unreadable");
});
