import { describe, expect, test } from "vitest";
import { TargetSchema } from "../../../src/contract/rollout.ts";
import { StaticRulesSchema } from "../../../src/contract/rules.ts";
import type { ReadySegment } from "../../../src/contract/segments.ts";
import { packUsers, tableOfHashes } from "../../../src/contract/user-lists.ts";
import { bytesSource } from "../../../src/io/entry-reader.ts";
import { type ReadyRollout, readBlobText, readRuleSetText } from "../../../src/io/rules-text.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";

const source = (value: unknown) => bytesSource(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));
const readSet = (value: unknown, known = new Map<string, string>(), knownSegments = new Map<string, string>()) =>
  readRuleSetText(source(value), {
    known,
    compile: (rollout: ReadyRollout) => rollout,
    segments: { known: knownSegments, compile: (_name, segment: ReadySegment) => segment },
  });
const readBlob = (value: unknown, known = new Map<string, string>()) => readBlobText(source(value), { known, compile: (rules) => rules });

const HASHES = Array.from({ length: 4_000 }, (_, index) => index.toString(16).padStart(16, "0"));
const target = (when: object) => ({ name: "vip", when, variant: "canary" });
const withTargets = (...targets: object[]) => ({ ...ruleOf().rules, targets });

describe("a rule set", () => {
  test("is read with its revision, and each rollout as its schema has it", async () => {
    const upper = ruleOf({ key: [{ header: "X-User" }] });
    const { epoch, revision, changed } = await readSet(ruleSetOf({ a: ruleOf(), b: upper }));
    expect([epoch, revision]).toEqual([1_700_000_000, 7]);
    expect(Object.fromEntries(changed)).toEqual({ a: ruleOf(), b: ruleOf({ key: [{ header: "x-user" }] }) });
  });

  test("is read again only where it changed", async () => {
    const first = await readSet(ruleSetOf({ a: ruleOf(), b: ruleOf() }));
    const second = await readSet(ruleSetOf({ a: ruleOf(), b: ruleOf({}, { shareBp: 1 }), c: ruleOf() }), new Map(first.fingerprints));
    expect([...second.changed.keys()]).toEqual(["b", "c"]);
    expect([...second.fingerprints.keys()]).toEqual(["a", "b", "c"]);
  });

  test("may list many users, which come as tables where they stood", async () => {
    const packedUsers = Buffer.from(HASHES.join(""), "hex").toString("base64");
    const rules = withTargets(target({ userHashes: HASHES }), target({ header: { name: "x", present: true } }), target({ packedUsers }));
    const { changed } = await readSet({ ...ruleSetOf({}), rollouts: { a: { rules, live: ruleOf().live } } });
    expect(changed.get("a")?.rules.targets.map(({ when }) => when)).toEqual([
      { userTable: tableOfHashes(HASHES) },
      { header: { name: "x", present: true } },
      { userTable: tableOfHashes(HASHES) },
    ]);
  });

  test("may hold segments, of few users and of many, which are read again only where they changed", async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => index.toString(16).padStart(16, "0"));
    const when = { header: { name: "x-office", exact: "vienna" } } as const;
    const segment = (users: string[]) => ({ when, packedUsers: packUsers(tableOfHashes(users)) });
    const value = { ...ruleSetOf({ a: ruleOf() }), segments: { few: segment(many.slice(0, 3)), many: segment(many), rule: { when } } };
    const first = await readSet(value);
    expect(Object.fromEntries(first.segments.changed)).toEqual({
      few: { when, chunkBits: 0, chunks: [tableOfHashes(many.slice(0, 3))] },
      many: { when, chunkBits: 0, chunks: [tableOfHashes(many)] },
      rule: { when, chunkBits: 0, chunks: [undefined] },
    });
    expect([...first.changed.keys()]).toEqual(["a"]);
    const next = { ...value, segments: { ...value.segments, many: segment(many.slice(1)) } };
    const second = await readSet(next, new Map(first.fingerprints), new Map(first.segments.fingerprints));
    expect([[...second.changed.keys()], [...second.segments.changed.keys()]]).toEqual([[], ["many"]]);
  });

  const long = { users: "A".repeat(70_000) };
  test.each([
    [{ segments: [] }, "not a rule set: segments: no mapping of names to segments"],
    [{ segments: { A: {} } }, "segments.A: not a name; "],
    [{ segments: { a: { packedUsers: "AAA" } } }, "segments.a.packedUsers: not a packed list of users; "],
    [{ segments: { a: { more: 1 } } }, 'segments.a: Unrecognized key: "more"'],
    [{ segments: { a: long } }, 'segments.a: Unrecognized key: "users"'],
    [{ segments: { a: { when: { userHashes: HASHES } } } }, "segments.a: a list of users stands where none may be"],
  ])("with %j is refused", async (part, problem) => {
    await expect(readSet({ ...ruleSetOf({}), ...part })).rejects.toThrow(problem);
  });

  test("that names a segment twice is refused", async () => {
    await expect(readSet('{"format":1,"epoch":1,"revision":1,"rollouts":{},"segments":{"a":{},"a":{}}}')).rejects.toThrow(
      "segments.a stands twice",
    );
  });

  test.each([
    ["{", "not JSON"],
    ["[]", "not JSON"],
    ['{"rollouts":{"a":tru}}', "not JSON"],
    [{ ...ruleSetOf({}), format: 2 }, "not a rule set: format: Invalid input: expected 1"],
    [{ ...ruleSetOf({}), rollouts: [] }, "not a rule set: rollouts: no mapping of names to rollouts"],
    [{ ...ruleSetOf({}), rollouts: undefined }, "not a rule set: rollouts: no mapping of names to rollouts"],
    [{ ...ruleSetOf({}), more: 1 }, 'not a rule set: the whole: Unrecognized key: "more"'],
    [ruleSetOf({ A: ruleOf() }), "not a rule set: rollouts.A: not a name; "],
    [ruleSetOf({ a: ruleOf({ salt: "" }), b: ruleOf({}, { run: -1 }) }), "rollouts.a.rules.salt: Too small: "],
    [ruleSetOf({ a: ruleOf({ salt: "" }), b: ruleOf({}, { run: -1 }) }), "rollouts.b.live.run: Too small: "],
    [{ ...ruleSetOf({}), rollouts: { a: { ...ruleOf(), more: 1 } } }, 'rollouts.a: Unrecognized key: "more"'],
    [{ ...ruleSetOf({}), rollouts: { a: null } }, "rollouts.a.rules: Invalid input: "],
    ['{"format":1,"epoch":1,"revision":1,"rollouts":{"a":{},"a":{}}}', "rollouts.a stands twice"],
  ])("that reads %j is refused", async (value, problem) => {
    await expect(readSet(value)).rejects.toThrow(problem);
  });

  test("may list more users than a rollout's file, which has to fit into a message", () => {
    const userHashes = Array.from({ length: 10_001 }, (_, index) => index.toString(16).padStart(16, "0"));
    expect(StaticRulesSchema.safeParse(withTargets(target({ userHashes }))).success).toBe(true);
    expect(TargetSchema.safeParse(target({ userHashes })).success).toBe(false);
    expect(TargetSchema.safeParse(target({ userHashes: userHashes.slice(1) })).success).toBe(true);
  });

  test("is refused where a list of users stands in a wrong place, or twice in one", async () => {
    const set = (rules: unknown) => ({ ...ruleSetOf({}), rollouts: { a: { rules, live: ruleOf().live } } });
    const place = "rollouts.a.rules: a list of users stands where none may be";
    await expect(readSet(set({ ...ruleOf().rules, userHashes: HASHES }))).rejects.toThrow(place);
    const twice = JSON.stringify(set(withTargets(target({ userHashes: HASHES })))).replace(
      '"when":{',
      `"when":{"userHashes":${JSON.stringify(HASHES)},`,
    );
    await expect(readSet(twice)).rejects.toThrow(place);
    await expect(readSet(set(withTargets(target({ userHashes: HASHES, more: 1 }))))).rejects.toThrow(place);
  });

  test("is refused where a rollout with a long list has another fault", async () => {
    const rules = { ...withTargets(target({ userHashes: HASHES })), salt: "" };
    await expect(readSet({ ...ruleSetOf({}), rollouts: { a: { rules, live: ruleOf().live } } })).rejects.toThrow(
      "rollouts.a.rules.salt: Too small",
    );
  });
});

describe("a blob", () => {
  test("is read as static rules by name", async () => {
    const { rules } = ruleOf();
    const { changed, fingerprints } = await readBlob({ format: 1, rollouts: { a: rules, b: rules } });
    expect(Object.fromEntries(changed)).toEqual({ a: rules, b: rules });
    expect((await readBlob({ format: 1, rollouts: { b: rules } }, new Map(fingerprints))).changed.size).toBe(0);
  });

  test.each([
    ["", "not JSON"],
    [{ format: 2, rollouts: {} }, "not static rules: format: not 1"],
    [{ format: 1 }, "not static rules: rollouts: no mapping of names to rules"],
    [{ format: 1, rollouts: {}, more: 1 }, 'not static rules: the whole: Unrecognized key: "more"'],
    [{ format: 1, rollouts: { a: {} } }, "not static rules: rollouts.a.match: "],
    [{ format: 1, rollouts: { A: ruleOf().rules } }, "not static rules: rollouts.A: not a name; "],
  ])("that reads %j is refused", async (value, problem) => {
    await expect(readBlob(value)).rejects.toThrow(problem);
  });
});
