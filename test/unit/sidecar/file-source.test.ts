import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../../../src/contract/errors.ts";
import type { RuleSet } from "../../../src/contract/rules.ts";
import { waitFor } from "../../../src/demo/wait-for.ts";
import { createLog } from "../../../src/io/log.ts";
import { type CurrentRules, createCurrentRules } from "../../../src/sidecar/current-rules.ts";
import { startFileSource } from "../../../src/sidecar/file-source.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";

let directory: string;
let file: string;
let rules: CurrentRules;
let stop: () => void = () => undefined;
const log = createLog({ name: "test", level: "silent" });
const at = (revision: number): string => JSON.stringify({ ...ruleSetOf({ checkout: ruleOf() }), revision });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "serin-file-"));
  file = join(directory, "rules.json");
  rules = createCurrentRules(Date.now);
});
afterEach(async () => {
  stop();
  stop = () => undefined;
  await rm(directory, { recursive: true });
});

const start = async (): Promise<void> => {
  stop = await startFileSource(file, { rules, log });
};
const until = (what: string, condition: () => boolean): Promise<true> =>
  waitFor(() => (condition() ? true : undefined), { deadlineMs: 10_000, what });

describe("at the start", () => {
  test.each([
    { title: "is missing", text: undefined, problem: "ENOENT" },
    { title: "is not JSON", text: "{", problem: "not JSON; write one with `serin rules -f ROLLOUT`" },
    { title: "is another document", text: '{"kind":"Rollout"}', problem: "not a rule set: format: " },
    { title: "is of another format", text: at(1).replace('"format":1', '"format":2'), problem: "not a rule set: format: " },
  ])("a file that $title is the user's error, and names the file", async ({ text, problem }) => {
    if (text !== undefined) await writeFile(file, text);
    const fault: unknown = await start().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(UsageError);
    expect(String(fault)).toContain(`${file}: `);
    expect(String(fault)).toContain(problem);
  });
});

describe("a file of rules", () => {
  test("brings segments, and a new one keeps the others as they are", async () => {
    const inOffice = { when: { header: { name: "x-office", exact: "vienna" } } } as const;
    const withSegments = (segments: RuleSet["segments"]): string => JSON.stringify({ ...ruleSetOf({ checkout: ruleOf() }), segments });
    await writeFile(file, withSegments({ a: inOffice, b: inOffice }));
    await start();
    const { segments, rollouts } = rules.compiled();
    expect([...segments.keys()]).toEqual(["a", "b"]);
    await writeFile(file, withSegments({ a: inOffice, c: inOffice }));
    await until("another segment", () => rules.compiled().segments.has("c"));
    expect([...rules.compiled().segments.keys()]).toEqual(["a", "c"]);
    expect(rules.compiled().segments.get("a")).toBe(segments.get("a"));
    expect(rules.compiled().rollouts.get("checkout")).toBe(rollouts.get("checkout"));
  });

  test("is read again when it is written", async () => {
    await writeFile(file, at(1));
    await start();
    expect(rules.ruleSet().revision).toBe(1);
    await writeFile(file, at(2));
    await until("revision 2", () => rules.ruleSet().revision === 2);
  });

  test("is read again when another takes its place, as editors do, also an older one", async () => {
    await writeFile(file, at(5));
    await start();
    await writeFile(`${file}.new`, at(4));
    await rename(`${file}.new`, file);
    expect(await until("revision 4", () => rules.ruleSet().revision === 4)).toBe(true);
  });

  test("that breaks leaves the last good rules, and is counted and named", async () => {
    await writeFile(file, at(1));
    await start();
    await writeFile(file, "{ broken");
    await until("a refusal", () => rules.rejected().count > 0);
    expect([rules.ruleSet().revision, rules.rejected().problem]).toEqual([1, `${file}: not JSON`]);
    await writeFile(file, at(2));
    await until("revision 2", () => rules.ruleSet().revision === 2);
    expect(rules.rejected().problem).toBeUndefined();
  });

  test("that goes away leaves its rules, and ends the problem when it comes back as it was", async () => {
    await writeFile(file, at(1));
    await start();
    await rm(file);
    await until("a problem", () => rules.rejected().problem !== undefined);
    expect(rules.ruleSet().revision).toBe(1);
    await writeFile(file, at(1));
    await until("no problem", () => rules.rejected().problem === undefined);
  });

  test("keeps every rollout that did not change as it is, and forgets those that went", async () => {
    const set = (revision: number, rollouts: RuleSet["rollouts"]) => writeFile(file, JSON.stringify({ ...ruleSetOf(rollouts), revision }));
    await set(1, { a: ruleOf(), b: ruleOf(), c: ruleOf() });
    await start();
    const before = rules.compiled();
    await set(2, { a: ruleOf(), b: ruleOf({}, { shareBp: 1 }), d: ruleOf() });
    await until("revision 2", () => rules.ruleSet().revision === 2);
    const after = rules.compiled();
    expect([...after.rollouts.keys()].toSorted()).toEqual(["a", "b", "d"]);
    expect(after.rollouts.get("a")).toBe(before.rollouts.get("a"));
    expect([before.rollouts.get("b")?.live.shareBp, after.rollouts.get("b")?.live.shareBp]).toEqual([5_000, 1]);
  });

  test("that is refused changes nothing of what the next good one is compared with", async () => {
    const set = (revision: number, rollouts: object) => writeFile(file, JSON.stringify({ ...ruleSetOf({}), revision, rollouts }));
    await set(1, { a: ruleOf(), b: ruleOf() });
    await start();
    await set(2, { a: ruleOf({}, { shareBp: 1 }), b: {} });
    await until("a refusal", () => rules.rejected().count > 0);
    expect(rules.compiled().rollouts.get("a")?.live.shareBp).toBe(5_000);
    await set(3, { a: ruleOf({}, { shareBp: 1 }), b: ruleOf() });
    await until("revision 3", () => rules.ruleSet().revision === 3);
    expect([...rules.compiled().rollouts].map(([name, { live }]) => [name, live.shareBp])).toEqual([
      ["a", 1],
      ["b", 5_000],
    ]);
  });

  test("that is written as it was changes nothing, not even since when it is in force", async () => {
    await writeFile(file, at(1));
    await start();
    let heard = 0;
    rules.onChange(() => {
      heard += 1;
    });
    for (const text of [at(1), at(1), at(2)]) {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    }
    await until("revision 2", () => rules.ruleSet().revision === 2);
    expect(heard).toBe(1);
  });
});
