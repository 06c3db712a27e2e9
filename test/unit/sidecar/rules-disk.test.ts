import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StaticRules } from "../../../src/contract/rules.ts";
import { compile, NO_RULES, recompile } from "../../../src/core/decide/compile.ts";
import { encodeBlobs, encodeManifest } from "../../../src/io/rules-store.ts";
import { createRulesDisk, type KeptRules } from "../../../src/sidecar/rules-disk.ts";
import { ruleOf } from "../../support/decide-inputs.ts";

let directory: string;
/** Blobs that were asked for, since they were not on disk. */
let fetched: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "serin-disk-"));
  fetched = [];
});
afterEach(() => rm(directory, { recursive: true }));

const path = (...names: string[]): string => join(directory, "state", ...names);
const disk = () => createRulesDisk(path());

function at(revision: number, rollouts: Record<string, StaticRules> = { checkout: ruleOf().rules }): KeptRules & { hashes: string[] } {
  const { blobs, contents } = encodeBlobs(rollouts);
  const live = Object.fromEntries(Object.keys(rollouts).map((name) => [name, ruleOf().live]));
  const manifest = Buffer.from(encodeManifest({ format: 1, epoch: 10, revision, term: 1, issuedAtMs: 1, blobs, live }));
  const fetch = (hash: string): Promise<Uint8Array | undefined> => {
    fetched.push(hash);
    const text = contents.get(hash);
    return Promise.resolve(text === undefined ? undefined : Buffer.from(text));
  };
  return { manifest, blobs: Object.values(blobs), hashes: Object.values(blobs), fetch };
}

describe("rules on disk", () => {
  test("are none where nothing was kept", async () => {
    expect(await disk().load(0)).toBeUndefined();
  });

  test("come back as they were kept, with the age of the last beat", async () => {
    const kept = disk();
    await kept.save(at(3));
    await kept.touch(1_700_000_000_000);
    const found = await disk().load(1_700_000_042_000);
    if (found === undefined) throw new Error("nothing was kept");
    expect(found.beatAgeMs).toBe(42_000);
    const rules = recompile(NO_RULES, found.ruleSet);
    expect(rules).toMatchObject({ epoch: 10, revision: 3 });
    const whole = compile({ epoch: 10, revision: 3, rollouts: { checkout: ruleOf() } }).rollouts.get("checkout");
    // Functions of different compilations are never equal.
    expect(JSON.stringify(rules.rollouts.get("checkout"))).toBe(JSON.stringify(whole));
  });

  test("are what the next manifest is compared with", async () => {
    await disk().save(at(3));
    const second = disk();
    expect(second.loaded()).toBeUndefined();
    await second.load(0);
    expect(second.loaded()?.manifest.head.revision).toBe(3);
  });

  test("never have a negative age, whatever the clock did", async () => {
    const kept = disk();
    await kept.save(at(3));
    await kept.touch(1_700_000_000_000);
    expect((await disk().load(1_600_000_000_000))?.beatAgeMs).toBe(0);
  });

  test("are as old as another program made their file", async () => {
    await disk().save(at(1));
    await utimes(path("rules.json"), 100, 100);
    expect((await disk().load(130_000))?.beatAgeMs).toBe(30_000);
  });

  test("need no beat to be kept, nor a beat any rules", async () => {
    await expect(disk().touch(1)).resolves.toBeUndefined();
  });
});

describe("keeping rules", () => {
  test("writes only blobs that are not there, and removes those that nobody names", async () => {
    const names = Object.fromEntries(["a", "b", "c"].map((name) => [name, ruleOf().rules]));
    const kept = disk();
    const first = at(1, names);
    await kept.save(first);
    expect(fetched.toSorted()).toEqual(first.hashes.toSorted());
    fetched.length = 0;
    const second = at(2, { ...names, b: { ...ruleOf().rules, salt: "other" } });
    await kept.save(second);
    expect(fetched).toEqual(second.hashes.filter((hash) => !first.hashes.includes(hash)));
    expect(fetched).toHaveLength(1);
    expect((await readdir(path("blobs"))).toSorted()).toEqual(second.hashes.toSorted());
  });

  test("that overlaps ends at the newest, and leaves nothing half written", async () => {
    const kept = disk();
    await Promise.all(Array.from({ length: 20 }, (_, revision) => kept.save(at(revision))));
    expect((await disk().load(0))?.ruleSet.revision).toBe(19);
    expect((await readdir(path())).toSorted()).toEqual(["blobs", "rules.json"]);
  });

  test("puts a new manifest in the place of the old one whole, in the bytes that were received", async () => {
    const kept = disk();
    await kept.save(at(1));
    const before = await stat(path("rules.json"));
    await kept.save(at(2));
    expect((await stat(path("rules.json"))).ino).not.toBe(before.ino);
    expect(await readFile(path("rules.json"))).toEqual(at(2).manifest);
  });

  test("fails where a blob is nowhere to be had, and leaves what was kept before", async () => {
    const kept = disk();
    await kept.save(at(1));
    const next = at(2, { other: ruleOf().rules });
    await expect(kept.save({ ...next, fetch: () => Promise.resolve(undefined) })).rejects.toThrow(
      `blob ${next.hashes[0]} is not in the store`,
    );
    expect((await disk().load(0))?.ruleSet.revision).toBe(1);
    // The next one is tried all the same.
    await kept.save(next);
    expect((await disk().load(0))?.ruleSet.revision).toBe(2);
  });
});

describe("rules that cannot be used", () => {
  test.each([
    ["", "the manifest is not JSON"],
    ["{", "the manifest is not JSON"],
    ['{"format":1}', "the manifest does not fit its schema at payload: "],
    ['{"format":2,"payload":"{}"}', "the manifest does not fit its schema at format: "],
  ])("are not taken where the manifest reads %j", async (text, problem) => {
    await disk().save(at(1));
    await writeFile(path("rules.json"), text);
    await expect(disk().load(0)).rejects.toThrow(problem);
  });

  test("are not taken where a blob was altered", async () => {
    const kept = at(1);
    await disk().save(kept);
    const hash = kept.hashes[0] ?? "";
    await writeFile(path("blobs", hash), "{}");
    await expect(disk().load(0)).rejects.toThrow(`blob ${hash} does not have its hash`);
  });

  test("are not taken where a blob is gone", async () => {
    const kept = at(1);
    await disk().save(kept);
    const hash = kept.hashes[0] ?? "";
    await rm(path("blobs", hash));
    await expect(disk().load(0)).rejects.toThrow(`blob ${hash} is not in the store`);
  });
});
