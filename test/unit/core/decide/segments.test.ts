import { fc } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import type { Condition } from "../../../../src/contract/conditions.ts";
import { type ReadySegment, readySegment, type SegmentRules, segmentSalt } from "../../../../src/contract/segments.ts";
import { packUsers, tableOfHashes } from "../../../../src/contract/user-lists.ts";
import { hashKey } from "../../../../src/core/decide/bucket.ts";
import { compile, NO_RULES, recompile } from "../../../../src/core/decide/compile.ts";
import { decide } from "../../../../src/core/decide/decide.ts";
import { explain } from "../../../../src/core/decide/explain.ts";
import { chunkBitsFor, cutIntoChunks, withoutRepetitions } from "../../../../src/core/decide/segment-chunks.ts";
import { compileSegment, compileSegments, SegmentAnswers } from "../../../../src/core/decide/segments.ts";
import { factsOf, type PlainRequest, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

const tableOf = (name: string, users: readonly string[]) => tableOfHashes(users.map((user) => hashKey(segmentSalt(name), user)));
const packed = (name: string, ...users: string[]): SegmentRules => ({ packedUsers: packUsers(tableOf(name, users)) });
const inVienna: Condition = { header: { name: "x-office", exact: "vienna" } };
const by = (user: string | undefined, ...more: (readonly [string, string])[]): PlainRequest => ({
  headers: [...(user === undefined ? [] : ([["x-user-id", user]] as const)), ...more],
});

const rulesFor = (when: Condition, segments: Record<string, SegmentRules | ReadySegment>) =>
  ({ ...ruleSetOf({ checkout: ruleOf({ targets: [{ name: "wanted", variant: "canary", when }] }, { shareBp: 0 }) }), segments }) as const;
const meets = (when: Condition, segments: Record<string, SegmentRules | ReadySegment>, request: PlainRequest): boolean =>
  decide(compile(rulesFor(when, segments)), factsOf(request)).reason === "target";

describe("a request is in a segment", () => {
  const segments = { testers: { ...packed("testers", "ann", "zoë"), when: inVienna }, staff: packed("staff", "bob") };
  test.each([
    { title: "when its user is listed", when: { segment: "testers" }, request: by("ann"), holds: true },
    { title: "when its user is listed beyond ASCII", when: { segment: "testers" }, request: by("zoë"), holds: true },
    { title: "when the condition holds", when: { segment: "testers" }, request: by("cy", ["x-office", "vienna"]), holds: true },
    {
      title: "when the condition holds, without any key",
      when: { segment: "testers" },
      request: by(undefined, ["x-office", "vienna"]),
      holds: true,
    },
    { title: "not for being in another", when: { segment: "testers" }, request: by("bob"), holds: false },
    { title: "not for nothing", when: { segment: "testers" }, request: by(undefined), holds: false },
    { title: "inside any", when: { any: [{ method: ["PUT"] }, { segment: "staff" }] }, request: by("bob"), holds: true },
    { title: "inside all", when: { all: [{ segment: "staff" }, { segment: "testers" }] }, request: by("bob"), holds: false },
    { title: "inside not", when: { not: { segment: "staff" } }, request: by("ann"), holds: true },
    { title: "never in one that is unknown", when: { segment: "nobody" }, request: by("ann"), holds: false },
    { title: "nor outside of it", when: { not: { segment: "nobody" } }, request: by("ann"), holds: false },
    { title: "nor by twice not", when: { not: { not: { segment: "nobody" } } }, request: by("ann"), holds: false },
    {
      title: "nor outside of one of two",
      when: { not: { any: [{ segment: "nobody" }, { method: ["PUT"] }] } },
      request: by("ann"),
      holds: false,
    },
    {
      title: "but by what else is asked",
      when: { not: { all: [{ segment: "nobody" }, { method: ["PUT"] }] } },
      request: by("ann"),
      holds: true,
    },
  ] as const)("$title", ({ when, request, holds }) => {
    expect(meets(when as Condition, segments, request)).toBe(holds);
  });

  test("whose users come in chunks, as in one piece", () => {
    const cut = cutIntoChunks(tableOf("testers", ["ann", "bob", "cy"]), 2);
    const inChunks: ReadySegment = { chunkBits: 2, chunks: [0, 1, 2, 3].map((chunk) => cut.get(chunk)) };
    expect(["ann", "bob", "eve"].map((user) => meets({ segment: "testers" }, { testers: inChunks }, by(user)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("whose condition lists users would be no segment", () => {
    expect(() => compileSegment("testers", { when: { users: ["ann"] }, chunkBits: 0, chunks: [] })).toThrow(TypeError);
  });

  test("whose packed users are none would be no segment", () => {
    expect(() => readySegment({ packedUsers: "no" })).toThrow(TypeError);
  });
});

describe("what a segment costs a request", () => {
  const request = factsOf(by("ann", ["x-office", "graz"]));

  test("is asked once, however many targets ask", () => {
    let read = 0;
    const targets = Array.from({ length: 5 }, (_, index) => ({ name: `t${index}`, variant: "canary", when: { segment: "testers" } }));
    const rules = compile({ ...ruleSetOf({ checkout: ruleOf({ targets }) }), segments: { testers: { when: inVienna } } });
    const counting = { ...request, headers: (name: string) => ((read += Number(name === "x-office")), request.headers(name)) };
    decide(rules, counting);
    expect(read).toBe(1);
  });

  test("is asked again for another key", () => {
    const answers = new SegmentAnswers(compileSegments({ testers: packed("testers", "ann") }));
    expect(["ann", "bob", "ann"].map((key) => answers.holds("testers", request, key))).toEqual([true, false, true]);
  });

  test("is told where a segment is unknown, once a request", () => {
    const told: string[] = [];
    const targets = ["a", "b"].map((name) => ({ name, variant: "canary", when: { segment: "nobody" } }));
    decide(compile(ruleSetOf({ checkout: ruleOf({ targets }) })), { ...request, unknownSegment: (name) => void told.push(name) });
    expect(told).toEqual(["nobody"]);
  });
});

describe("a segment that changes", () => {
  const before = compile(rulesFor({ segment: "testers" }, { testers: { when: inVienna } }));
  const change = { epoch: before.epoch, revision: 8, changed: new Map(), removed: [] };
  const segments = compileSegments({ testers: packed("testers", "ann") });
  const after = recompile(before, { ...change, segments });

  test("is in force at once, and compiles no rollout anew", () => {
    expect(after.rollouts.get("checkout")).toBe(before.rollouts.get("checkout"));
    expect([before, after].map((rules) => decide(rules, factsOf(by("ann"))).reason)).toEqual(["share", "target"]);
  });

  test("reads the headers of its condition, and no longer when it is gone", () => {
    expect([before, after].map(({ headers }) => headers.has("x-office"))).toEqual([true, false]);
  });

  test("stays where a change does not speak of segments", () => {
    expect(recompile(after, { ...change, revision: 9 }).segments).toBe(after.segments);
  });

  test("is not there without rules", () => {
    expect(NO_RULES.segments.size).toBe(0);
  });
});

test("explain says which segment held, and why", () => {
  const asked = (name: string) => ({ segment: name });
  const when: Condition = { any: ["staff", "nobody", "testers"].map(asked) };
  const segments = { testers: { ...packed("testers", "ann"), when: inVienna }, staff: packed("staff", "bob") };
  const texts = (request: PlainRequest) =>
    explain(compile(rulesFor(when, segments)), factsOf(request)).steps.flatMap(({ step, text }) => (step === "segment" ? [text] : []));
  const before = ["segment staff does not hold", "there is no segment nobody, so nobody is known to be in it, or not to be"];
  expect(texts(by("ann"))).toEqual([...before, "segment testers holds: the user is listed"]);
  expect(texts(by("cy", ["x-office", "vienna"]))).toEqual([...before, "segment testers holds by its condition"]);
  expect(texts(by("cy"))).toEqual([...before, "segment testers does not hold"]);
});

describe("chunks", () => {
  test.each([
    [0, 0],
    [1_024, 0],
    [1_025, 1],
    [200_000, 6],
    [1_000_000, 6],
  ])("of %i users are cut by %i bits", (users, bits) => {
    expect(chunkBitsFor(users)).toBe(bits);
  });

  test("hold whoever is in the whole, and nobody else", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 300 }), fc.integer({ min: 0, max: 6 }), (names, chunkBits) => {
        const listed = names.filter((_, index) => index % 2 === 0);
        const table = withoutRepetitions(tableOf("testers", [...listed, ...listed]));
        const cut = cutIntoChunks(table, chunkBits);
        const chunks = Array.from({ length: 2 ** chunkBits }, (_, chunk) => cut.get(chunk));
        const answers = new SegmentAnswers(new Map([["testers", compileSegment("testers", { chunkBits, chunks })]]));
        const facts = factsOf({});
        expect(table.length).toBe(listed.length * 2);
        expect([...cut.values()].reduce((sum, chunk) => sum + chunk.length, 0)).toBe(table.length);
        expect(names.filter((name) => answers.holds("testers", facts, name))).toEqual(listed);
      }),
      { numRuns: 50 },
    );
  });

  test("of others stay the same when one user comes", () => {
    const users = Array.from({ length: 5_000 }, (_, index) => `user-${index}`);
    const [before, after] = [users, [...users, "one-more"]].map((all) => cutIntoChunks(tableOf("testers", all), 6));
    const changed = [...(after ?? [])].filter(([chunk, table]) => packUsers(table) !== packUsers(before?.get(chunk) ?? new Uint32Array()));
    expect(changed).toHaveLength(1);
  });
});
