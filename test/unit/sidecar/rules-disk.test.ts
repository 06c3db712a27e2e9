import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRulesDisk } from "../../../src/sidecar/rules-disk.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";

let directory: string;
const at = (revision: number) => ({ ...ruleSetOf({ checkout: ruleOf() }), revision });
const path = (): string => join(directory, "state", "rules.json");

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "serin-disk-"));
});
afterEach(() => rm(directory, { recursive: true }));

const disk = () => createRulesDisk(join(directory, "state"));

test("nothing is found where nothing was kept", async () => {
  expect(await disk().load(0)).toBeUndefined();
});

test("rules come back as they were kept, with the age of the last beat", async () => {
  const kept = disk();
  await kept.save(at(3));
  await kept.touch(1_700_000_000_000);
  expect(await disk().load(1_700_000_042_000)).toEqual({ ruleSet: at(3), beatAgeMs: 42_000 });
});

test("an age is never negative, whatever the clock did", async () => {
  const kept = disk();
  await kept.save(at(3));
  await kept.touch(1_700_000_000_000);
  expect((await disk().load(1_600_000_000_000))?.beatAgeMs).toBe(0);
});

test("of writes that overlap the newest wins, and nothing half written stays", async () => {
  const kept = disk();
  await Promise.all(Array.from({ length: 20 }, (_, revision) => kept.save(at(revision))));
  expect((await disk().load(0))?.ruleSet.revision).toBe(19);
  expect(await readdir(join(directory, "state"))).toEqual(["rules.json"]);
});

test("a new file takes the place of the old one whole", async () => {
  const kept = disk();
  await kept.save(at(1));
  const before = await stat(path());
  await kept.save(at(2));
  expect((await stat(path())).ino).not.toBe(before.ino);
  expect(JSON.parse(await readFile(path(), "utf8"))).toEqual(at(2));
});

test.each([
  ["", "Unexpected end of JSON input"],
  ["{", "Expected property name"],
  ['{"format":1}', '"epoch"'],
  [JSON.stringify({ ...at(1), format: 2 }), '"format"'],
])("rules that read %j are not taken", async (text, problem) => {
  await disk().save(at(1));
  await writeFile(path(), text);
  await expect(disk().load(0)).rejects.toThrow(problem);
});

test("a beat before any rules were kept is no fault", async () => {
  await expect(disk().touch(1)).resolves.toBeUndefined();
});

test("what another program did to the file's time counts as the beat's", async () => {
  await disk().save(at(1));
  await utimes(path(), 100, 100);
  expect((await disk().load(130_000))?.beatAgeMs).toBe(30_000);
});
