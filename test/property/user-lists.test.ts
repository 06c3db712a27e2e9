import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { packUsers, tableOfHashes, unpackUsers } from "../../src/contract/user-lists.ts";
import { holdsUser } from "../../src/core/decide/user-table.ts";

const hash = fc.stringMatching(/^[0-9a-f]{16}$/);
const hashes = fc.array(hash, { minLength: 1, maxLength: 200 });
/** What packs a list without any of our code. */
const plainPacked = (list: readonly string[]): string => Buffer.from(list.toSorted().join(""), "hex").toString("base64");

describe("a packed list of users", () => {
  test.prop([hashes])("is the base64 of its sorted hashes", (list) => {
    expect(packUsers(tableOfHashes(list))).toBe(plainPacked(list));
  });

  test.prop([hashes])("gives the same table as its hashes do", (list) => {
    expect(unpackUsers(plainPacked(list))).toEqual(tableOfHashes(list));
  });

  test.prop([hashes, hash])("holds whom the list names, and nobody else", (list, other) => {
    const table = tableOfHashes(list);
    expect(list.every((user) => holdsUser(table, user))).toBe(true);
    expect(holdsUser(table, other)).toBe(list.includes(other));
  });

  test.prop([hashes])("that somebody forgot to sort is sorted", (list) => {
    expect(unpackUsers(Buffer.from(list.join(""), "hex").toString("base64"))).toEqual(tableOfHashes(list));
  });

  test.prop([fc.oneof(fc.string({ maxLength: 40 }), fc.base64String({ maxLength: 40 }))])(
    "is no other text than base64 of whole hashes",
    (text) => {
      const bytes = Buffer.from(text, "base64");
      const isPacked =
        text !== "" && bytes.length % 8 === 0 && bytes.toString("base64").replace(/=+$/, "").length === text.replace(/=+$/, "").length;
      const isPadded = text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
      expect(unpackUsers(text) !== undefined).toBe(isPacked && isPadded);
    },
  );
});

test("a list beyond one block of memory keeps its order and every user", () => {
  const list = Array.from({ length: 100_000 }, (_, index) =>
    ((BigInt(index) * 0x9e37_79b9_7f4a_7c15n) & 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, "0"),
  );
  const table = tableOfHashes(list);
  expect(table.length).toBe(200_000);
  expect(packUsers(table)).toBe(plainPacked(list));
  expect(list.filter((user) => !holdsUser(table, user))).toEqual([]);
});
