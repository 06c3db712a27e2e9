import { describe, expect, test } from "vitest";
import { tableOfHashes } from "../../../src/contract/user-lists.ts";
import { chunkBytes, chunkTable, isChunk } from "../../../src/io/segment-chunks.ts";

const HASHES = ["00000001ffffffff", "0000000200000000", "fedcba9876543210"];
const bytes = Buffer.from(HASHES.join(""), "hex");

describe("a chunk", () => {
  test("is the sorted hashes, eight bytes each, the highest first", () => {
    expect(chunkBytes(tableOfHashes(HASHES)).equals(bytes)).toBe(true);
  });

  test("is read back as the table that it was, from wherever its bytes stand", () => {
    expect(chunkTable(Buffer.concat([Buffer.from("abc"), bytes]).subarray(3))).toEqual(tableOfHashes(HASHES));
    expect(bytes.toString("hex")).toBe(HASHES.join(""));
  });

  test.each([
    { title: "nothing", data: Buffer.alloc(0) },
    { title: "half a user", data: bytes.subarray(0, 12) },
  ])("is not $title", ({ data }) => {
    expect([chunkTable(data), isChunk(data)]).toEqual([undefined, false]);
  });

  test.each([
    { title: "sorted", order: [0, 1, 2], isOne: true },
    { title: "of one user", order: [1], isOne: true },
    { title: "with a user twice", order: [0, 0, 1], isOne: false },
    { title: "not sorted", order: [1, 0, 2], isOne: false },
  ])("$title can be searched: $isOne", ({ order, isOne }) => {
    expect(isChunk(Buffer.from(order.map((at) => HASHES[at]).join(""), "hex"))).toBe(isOne);
  });
});
