import { shareFaults } from "../contract/lanes.ts";
import type { LiveRule, ReadyRules } from "../contract/rules.ts";
import type { CompiledRules, RulesChange } from "../core/decide/compile.ts";
import { type CompiledStatics, compileStatics, createSharedParts, type SharedParts } from "../core/decide/statics.ts";
import { bytesSource } from "../io/entry-reader.ts";
import { allLive, compareLive, type LiveChange, type ManifestText } from "../io/manifest-text.ts";
import { CorruptRulesError, sha256 } from "../io/rules-store.ts";
import { RulesTextError, readBlobText } from "../io/rules-text.ts";
import { createSlices, type Slices } from "../io/slices.ts";

/** The rollouts of one blob, compiled, with the fingerprints by which they are known again in the next blob. */
export interface Shelf {
  readonly fingerprints: ReadonlyMap<string, string>;
  readonly statics: ReadonlyMap<string, CompiledStatics>;
}

/** A manifest with all that its blobs hold, by their hashes. */
export interface LoadedManifest {
  readonly manifest: ManifestText;
  readonly shelves: ReadonlyMap<string, Shelf>;
  readonly shared: SharedParts;
}

/** Rules to put in force, and what to remember of them for the next ones. */
export interface LoadedRules {
  readonly loaded: LoadedManifest;
  readonly change: RulesChange;
}

/** What a manifest comes after. */
export interface Before {
  /** The manifest in force; undefined before the first. */
  readonly loaded: LoadedManifest | undefined;
  readonly inForce: CompiledRules;
}

/** Gives the bytes of a blob; undefined where there is none. */
export type FetchBlob = (hash: string) => Promise<Uint8Array | undefined>;

const NO_SHELF: Shelf = { fingerprints: new Map(), statics: new Map() };

/**
 * Works out what a manifest changes in the rules in force, and fetches only the blobs that are new. `shelves` takes what was
 * fetched, so that a second attempt needs it no more; `pause` is called between the steps. Throws CorruptRulesError, or what fetching throws.
 */
export async function loadManifest(
  manifest: ManifestText,
  before: Before,
  { shelves, fetch, pause = createSlices() }: { shelves: Map<string, Shelf>; fetch: FetchBlob; pause?: Slices },
): Promise<LoadedRules> {
  const { epoch, revision } = manifest.head;
  const shared = before.loaded?.shared ?? createSharedParts();
  await fetchShelves(manifest, before.loaded, { shelves, fetch, shared });
  const kept = new Map<string, Shelf>();
  for (const hash of Object.values(manifest.head.blobs)) {
    const shelf = before.loaded?.shelves.get(hash) ?? shelves.get(hash);
    if (shelf !== undefined) kept.set(hash, shelf);
  }
  await pause();
  const live = before.loaded === undefined ? allLive(manifest.live) : compareLive(before.loaded.manifest.live, manifest.live);
  await pause();
  const change = { epoch, revision, ...join(live, kept, before) };
  await pause();
  return { loaded: { manifest, shelves: kept, shared }, change };
}

async function fetchShelves(
  { head }: ManifestText,
  before: LoadedManifest | undefined,
  { shelves, fetch, shared }: { shelves: Map<string, Shelf>; fetch: FetchBlob; shared: SharedParts },
): Promise<void> {
  const missing = Object.entries(head.blobs).filter(([, hash]) => !shelves.has(hash) && before?.shelves.has(hash) !== true);
  const fetched = await Promise.all(missing.map(async ([shard, hash]) => ({ shard, hash, data: await fetch(hash) })));
  for (const { shard, hash, data } of fetched) {
    const old = before?.shelves.get(before.manifest.head.blobs[shard] ?? "") ?? NO_SHELF;
    shelves.set(hash, await readShelf({ hash, data }, old, (rules) => compileStatics(rules, shared)));
  }
}

/** Joins live rules with the static ones, for the rollouts of which either changed. */
function join(live: LiveChange, kept: ReadonlyMap<string, Shelf>, before: Before): Pick<RulesChange, "changed" | "removed"> {
  const removed = new Set(live.removed);
  if (before.loaded === undefined) for (const name of before.inForce.rollouts.keys()) if (!live.changed.has(name)) removed.add(name);
  const touched = new Set(live.changed.keys());
  for (const [hash, { statics }] of before.loaded?.shelves ?? []) if (!kept.has(hash)) for (const name of statics.keys()) touched.add(name);
  for (const [hash, { statics }] of kept)
    if (before.loaded?.shelves.has(hash) !== true) for (const name of statics.keys()) touched.add(name);
  const found = new Map<string, CompiledStatics>();
  for (const { statics } of kept.values()) {
    for (const name of touched.size < statics.size ? touched : statics.keys()) {
      const compiled = touched.has(name) ? statics.get(name) : undefined;
      if (compiled !== undefined) found.set(name, compiled);
    }
  }
  const changed = new Map<string, { statics: CompiledStatics; live: LiveRule }>();
  for (const name of touched) {
    const rule = live.changed.get(name) ?? (removed.has(name) ? undefined : before.inForce.rollouts.get(name)?.live);
    // A blob may hold more than the manifest serves.
    if (rule === undefined) continue;
    const statics = found.get(name);
    if (statics === undefined) throw new CorruptRulesError(`the manifest serves ${name}, but no blob of it holds its rules`);
    const [fault] = shareFaults(statics.variants, rule);
    if (fault !== undefined) throw new CorruptRulesError(`live.${name}.${fault.path.join(".")}: ${fault.message}`);
    changed.set(name, { statics, live: rule });
  }
  return { changed, removed };
}

async function readShelf(
  { hash, data }: { hash: string; data: Uint8Array | undefined },
  before: Shelf,
  compile: (rules: ReadyRules) => CompiledStatics,
): Promise<Shelf> {
  if (data === undefined) throw new CorruptRulesError(`blob ${hash} is not in the store`);
  if (sha256(data) !== hash) throw new CorruptRulesError(`blob ${hash} does not have its hash`);
  try {
    const { fingerprints, changed } = await readBlobText(bytesSource(data), { known: before.fingerprints, compile });
    const statics = new Map(changed);
    for (const name of fingerprints.keys()) {
      const same = before.statics.get(name);
      if (same !== undefined && !statics.has(name)) statics.set(name, same);
    }
    return { fingerprints, statics };
  } catch (cause) {
    if (!(cause instanceof RulesTextError)) throw cause;
    throw new CorruptRulesError(`blob ${hash} is ${cause.message}`, { cause });
  }
}
