import { describe, expect, test } from "vitest";
import { packUsers, tableOfHashes, unpackUsers } from "../../../../src/contract/user-lists.ts";
import { compileStatics, createSharedParts } from "../../../../src/core/decide/statics.ts";
import { holdsUser } from "../../../../src/core/decide/user-table.ts";
import { ruleOf } from "../../../support/decide-inputs.ts";

/** Hashes that differ in the high word, in the low word, and in the sign of either. */
const LISTED = ["0000000000000000", "00000001ffffffff", "0000000200000000", "7fffffff80000000", "80000000ffffffff", "ffffffffffffffff"];
const OTHERS = ["0000000000000001", "00000001fffffffe", "0000000200000001", "7fffffff7fffffff", "8000000000000000", "fffffffffffffffe"];

describe("a table of users", () => {
  test.each([
    { title: "sorted", hashes: LISTED },
    { title: "in any order", hashes: LISTED.toReversed() },
  ])("made of hashes $title holds each of them and nobody else", ({ hashes }) => {
    const table = tableOfHashes(hashes);
    expect(hashes.map((hash) => holdsUser(table, hash))).toEqual(hashes.map(() => true));
    expect(OTHERS.map((hash) => holdsUser(table, hash))).toEqual(OTHERS.map(() => false));
  });

  test("takes eight bytes a user", () => {
    expect(tableOfHashes(LISTED).byteLength).toBe(LISTED.length * 8);
  });

  test("of nobody holds nobody", () => {
    expect(holdsUser(tableOfHashes([]), "0000000000000000")).toBe(false);
  });

  test("is the same whether the list came as hashes or packed", () => {
    const packed = packUsers(tableOfHashes(LISTED));
    expect(unpackUsers(packed)).toEqual(tableOfHashes(LISTED));
  });
});

describe("static rules", () => {
  const statics = (packedUsers: string) =>
    compileStatics(ruleOf({ targets: [{ name: "vip", when: { packedUsers }, variant: "canary" }] }).rules, createSharedParts());
  const request = { host: "", method: "GET", path: "/", headers: () => [], clientAddress: undefined };
  const subject = (user?: string) => ({ key: user, user });

  test("with a packed list choose its users", () => {
    const { targets, listsUsers } = statics(packUsers(tableOfHashes(LISTED)));
    expect([listsUsers, targets[0]?.matches(request, subject(LISTED[1])), targets[0]?.matches(request, subject(OTHERS[1]))]).toEqual([
      true,
      true,
      false,
    ]);
    expect(targets[0]?.matches(request, subject())).toBe(false);
  });

  test("with a table keep it as it is", () => {
    const targets = [{ name: "vip", when: { userTable: tableOfHashes(LISTED) }, variant: "canary" as const }];
    const compiled = compileStatics({ ...ruleOf().rules, targets }, createSharedParts());
    expect(compiled.targets[0]?.matches(request, subject(LISTED[2]))).toBe(true);
  });

  test("whose packed list is none are refused: taken as empty, it would send its users elsewhere", () => {
    expect(() => statics("AAAA")).toThrow("a packed list of users that is none");
  });

  test("share what they have in common, and keep apart what differs", () => {
    const shared = createSharedParts();
    const beta = [{ name: "beta", when: { header: { name: "x-beta", present: true as const } }, variant: "canary" as const }];
    const [a, b, c] = [ruleOf({ salt: "a" }), ruleOf({ salt: "b" }), ruleOf({ salt: "c", targets: beta })].map(({ rules }) =>
      compileStatics(rules, shared),
    );
    expect([a?.keys === b?.keys, a?.paths === c?.paths, a?.keys === c?.keys]).toEqual([true, true, false]);
    expect([a?.seed === b?.seed, c?.headers]).toEqual([false, ["x-user-id", "x-beta"]]);
  });

  test("that list users share the rest, and keep their own lists", () => {
    const shared = createSharedParts();
    const vip = (user: string) => ({ name: "vip", when: { users: [user] }, variant: "canary" as const });
    const beta = { name: "beta", when: { header: { name: "x-beta", present: true as const } }, variant: "canary" as const };
    const [a, b] = ["u1", "u2"].map((user) => compileStatics(ruleOf({ targets: [beta, vip(user)] }).rules, shared));
    expect([a?.keys === b?.keys, a?.headers === b?.headers, a?.targets[0] === b?.targets[0]]).toEqual([true, true, true]);
    expect(a?.targets[1]).not.toBe(b?.targets[1]);
  });

  test("remember a bounded number of common parts", () => {
    const shared = createSharedParts();
    const numbers = Array.from({ length: 2_000 }, (_, index) => index);
    for (const index of numbers) shared.once("part", index, () => ({ index }));
    const kept = numbers.filter((index) => {
      const fresh = { index };
      return shared.once("part", index, () => fresh) !== fresh;
    });
    expect(kept).toHaveLength(1_000);
  });
});
