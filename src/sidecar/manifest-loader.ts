import { shareFaults } from "../contract/lanes.ts";
import type { LiveRule, ReadyRules } from "../contract/rules.ts";
import type { CompiledRules, RulesChange } from "../core/decide/compile.ts";
import { type CompiledStatics, compileStatics, createSharedParts, type SharedParts } from "../core/decide/statics.ts";
import { bytesSource } from "../io/entry-reader.ts";
import { allLive, compareLive, type LiveChange, type ManifestText } from "../io/manifest-text.ts";
import { CorruptRulesError, sha256 } from "../io/rules-store.ts";
import { RulesTextError, readBlobText } from "../io/rules-text.ts";
import { createSlices, type Slices } from "../io/slices.ts";
import { changedSegments, type LoadedSegment, type LoadedSegments, loadSegments, segmentsAtHand } from "./segment-loader.ts";

/** The rollouts of one blob, compiled, with the fingerprints by which they are known again in the next blob. */
export interface Shelf {
  readonly fingerprints: ReadonlyMap<string, string>;
  readonly statics: ReadonlyMap<string, CompiledStatics>;
}

/** A manifest with all that its blobs hold, by their hashes. */
export interface LoadedManifest {
  readonly manifest: ManifestText;
  readonly shelves: ReadonlyMap<string, Shelf>;
  readonly segments: LoadedSegments;
  /** Name → hash of the segments that have to be fetched yet; until then they are asked in the version before, where there is one. */
  readonly lacking: ReadonlyMap<string, string>;
  /** Live rules of the rollouts that wait for a segment of which there is no version. */
  readonly held: ReadonlyMap<string, LiveRule>;
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

const NO_LIVE: ReadonlyMap<string, LiveRule> = new Map();
const NO_SHELVES: ReadonlyMap<string, Shelf> = new Map();
const NO_SHELF: Shelf = { fingerprints: new Map(), statics: new Map() };

interface Loading {
  /** Takes blobs that were fetched. */
  readonly shelves: Map<string, Shelf>;
  /** Segments that were fetched, by the hash of their index; where it is absent, all that are named are fetched now. */
  readonly segments?: ReadonlyMap<string, LoadedSegment>;
  readonly fetch: FetchBlob;
  readonly pause?: Slices;
}

/**
 * Works out what a manifest changes in the rules in force, and fetches only the blobs that are new. `shelves` takes what was
 * fetched, so that a second attempt needs it no more; `pause` is called between the steps. Throws CorruptRulesError, or what fetching throws.
 */
export async function loadManifest(
  manifest: ManifestText,
  before: Before,
  { shelves, segments: fetched, fetch, pause = createSlices() }: Loading,
): Promise<LoadedRules> {
  const { epoch, revision } = manifest.head;
  const shared = before.loaded?.shared ?? createSharedParts();
  await fetchShelves(manifest, before.loaded, { shelves, fetch, shared });
  const kept = new Map<string, Shelf>();
  for (const hash of Object.values(manifest.head.blobs)) {
    const shelf = before.loaded?.shelves.get(hash) ?? shelves.get(hash);
    if (shelf !== undefined) kept.set(hash, shelf);
  }
  const named = manifest.head.segments ?? {};
  const there = fetched ?? (await loadSegments(named, { fetch, pause }));
  const { segments, lacking } = segmentsAtHand(named, before.loaded?.segments ?? new Map(), there);
  await pause();
  const live = before.loaded === undefined ? allLive(manifest.live) : compareLive(before.loaded.manifest.live, manifest.live);
  await pause();
  const unknown = new Set([...lacking.keys()].filter((name) => !segments.has(name)));
  const { held, ...rollouts } = join(live, kept, before, unknown);
  const change = { epoch, revision, ...rollouts, segments: changedSegments(segments, before.loaded?.segments) };
  await pause();
  return { loaded: { manifest, shelves: kept, segments, lacking, held, shared }, change };
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

interface Joined extends Pick<RulesChange, "changed" | "removed"> {
  readonly held: LoadedManifest["held"];
}

/**
 * Joins live rules with the static ones, for the rollouts of which either changed. One that asks for a segment which is `unknown` yet
 * stays as it was, or is not there yet: asked now, `not` would hold for everybody. Off needs no segment, and waits for none.
 */
function join(live: LiveChange, kept: ReadonlyMap<string, Shelf>, before: Before, unknown: ReadonlySet<string>): Joined {
  const removed = new Set(live.removed);
  if (before.loaded === undefined) for (const name of before.inForce.rollouts.keys()) if (!live.changed.has(name)) removed.add(name);
  const heldBefore = before.loaded?.held ?? NO_LIVE;
  const touched = new Set([...live.changed.keys(), ...heldBefore.keys(), ...differing(before.loaded?.shelves ?? NO_SHELVES, kept)]);
  const found = new Map<string, CompiledStatics>();
  for (const { statics } of kept.values()) {
    for (const name of touched.size < statics.size ? touched : statics.keys()) {
      const compiled = touched.has(name) ? statics.get(name) : undefined;
      if (compiled !== undefined) found.set(name, compiled);
    }
  }
  const changed = new Map<string, { statics: CompiledStatics; live: LiveRule }>();
  const held = new Map<string, LiveRule>();
  for (const name of touched) {
    const inForce = before.inForce.rollouts.get(name);
    const rule = live.changed.get(name) ?? (removed.has(name) ? undefined : (heldBefore.get(name) ?? inForce?.live));
    // A blob may hold more than the manifest serves.
    if (rule === undefined) continue;
    const statics = found.get(name);
    if (statics === undefined) throw new CorruptRulesError(`the manifest serves ${name}, but no blob of it holds its rules`);
    const [fault] = shareFaults(statics.variants, rule);
    if (fault !== undefined) throw new CorruptRulesError(`live.${name}.${fault.path.join(".")}: ${fault.message}`);
    // One that asked before the segment had a name goes on as it does.
    const asksAlready = statics === inForce?.statics && !inForce.off;
    const waits = !rule.off && !asksAlready && statics.segments.some((segment) => unknown.has(segment));
    if (waits) held.set(name, rule);
    else changed.set(name, { statics, live: rule });
  }
  return { changed, removed, held };
}

/** Names of the rollouts whose static rules differ, or stand in one alone. */
function differing(before: ReadonlyMap<string, Shelf>, after: ReadonlyMap<string, Shelf>): Set<string> {
  const gone = new Map<string, CompiledStatics>();
  for (const [hash, { statics }] of before) if (!after.has(hash)) for (const [name, each] of statics) gone.set(name, each);
  const names = new Set(gone.keys());
  for (const [hash, { statics }] of after) {
    if (before.has(hash)) continue;
    for (const [name, each] of statics) {
      if (gone.get(name) === each) names.delete(name);
      else names.add(name);
    }
  }
  return names;
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
