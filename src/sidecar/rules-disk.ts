import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NO_RULES, type RulesChange } from "../core/decide/compile.ts";
import { CorruptRulesError, decodeManifestText } from "../io/rules-store.ts";
import { type FetchBlob, type LoadedManifest, loadManifest } from "./manifest-loader.ts";

/** Rules found on disk, with the time since the last beat that was heard while they were in force. */
export interface RulesOnDisk {
  readonly ruleSet: RulesChange;
  /** What manifests that come next are compared with. */
  readonly loaded: LoadedManifest;
  readonly beatAgeMs: number;
}

/** What is kept: a manifest as it was received, the hashes of its blobs, and where their bytes are to be had. */
export interface KeptRules {
  readonly manifest: Uint8Array;
  readonly blobs: readonly string[];
  readonly fetch: FetchBlob;
}

/**
 * The last good rules on disk, in the bytes that were received, so that keeping them costs no more than writing what changed. The
 * manifest's time is that of the last beat, so that a restart does not make an old beat young.
 */
export interface RulesDisk {
  /** Undefined when there is none. Throws when it cannot be read as a rule set. */
  load(nowMs: number): Promise<RulesOnDisk | undefined>;
  /** Blobs first, the manifest last, each written whole and then renamed; saves that overlap are joined and the newest wins. */
  save(rules: KeptRules): Promise<void>;
  touch(beatAtMs: number): Promise<void>;
  /** What `load` found last. */
  loaded(): LoadedManifest | undefined;
}

const BLOB = /^[0-9a-f]{64}$/;

/** Keeps the manifest in `directory/rules.json` and its blobs in `directory/blobs`. */
export function createRulesDisk(directory: string): RulesDisk {
  const path = join(directory, "rules.json");
  const blobs = join(directory, "blobs");
  let loaded: LoadedManifest | undefined;
  let waiting: KeptRules | undefined;
  let writing: Promise<void> | undefined;
  const write = async (): Promise<void> => {
    await mkdir(blobs, { recursive: true });
    while (waiting !== undefined) {
      const next = waiting;
      waiting = undefined;
      const found = await readdir(blobs);
      for (const hash of next.blobs) if (!found.includes(hash)) await replace(join(blobs, hash), await existing(hash, next.fetch));
      await replace(path, next.manifest);
      for (const name of found) if (!next.blobs.includes(name)) await rm(join(blobs, name), { force: true });
    }
  };
  return {
    loaded: () => loaded,
    async load(nowMs) {
      const data = await readIfThere(path);
      if (data === undefined) return undefined;
      const { mtimeMs } = await stat(path);
      const fetch: FetchBlob = (hash) => (BLOB.test(hash) ? readIfThere(join(blobs, hash)) : Promise.resolve(undefined));
      const read = await loadManifest(decodeManifestText(data), { loaded: undefined, inForce: NO_RULES }, { shelves: new Map(), fetch });
      loaded = read.loaded;
      return { ruleSet: read.change, loaded, beatAgeMs: Math.max(0, nowMs - mtimeMs) };
    },
    save(rules) {
      waiting = rules;
      writing ??= write().finally(() => {
        writing = undefined;
      });
      return writing;
    },
    async touch(beatAtMs) {
      await writing;
      try {
        await utimes(path, beatAtMs / 1_000, beatAtMs / 1_000);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

async function existing(hash: string, fetch: FetchBlob): Promise<Uint8Array> {
  const data = await fetch(hash);
  if (data === undefined) throw new CorruptRulesError(`blob ${hash} is not in the store`);
  return data;
}

async function replace(path: string, data: Uint8Array): Promise<void> {
  await writeFile(`${path}.next`, data);
  await rename(`${path}.next`, path);
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";
