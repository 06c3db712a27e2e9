import { SUBJECTS } from "../contract/names.ts";
import type { RuleSet } from "../contract/rules.ts";
import type { ReadySegment } from "../contract/segments.ts";
import { type NatsLink, readState } from "./nats.ts";
import { assemble, type BlobCache, decodeManifest } from "./rules-store.ts";
import { readSegment } from "./segment-store.ts";

/** A rule set with the leader's word of when its manifest was issued. */
export interface IssuedRuleSet {
  readonly ruleSet: RuleSet;
  /** Unix milliseconds by the leader's clock. */
  readonly issuedAtMs: number;
  /** Segment → hash of its index. */
  readonly segments: Readonly<Record<string, string>>;
}

/** The rule set that stands in NATS; undefined before the first. Throws CorruptRulesError, or when NATS does not answer. */
export async function readRuleSet(link: NatsLink, cache: BlobCache = new Map()): Promise<IssuedRuleSet | undefined> {
  const stored = await readState(link, SUBJECTS.manifest);
  if (stored === undefined) return undefined;
  const payload = decodeManifest(stored.data);
  return { ruleSet: await assemble(payload, cache, blobFetcher(link)), issuedAtMs: payload.issuedAtMs, segments: payload.segments ?? {} };
}

/** Segments that a manifest in NATS names. Throws CorruptRulesError, or when NATS does not answer. */
export async function readSegments(link: NatsLink, named: Readonly<Record<string, string>>): Promise<Record<string, ReadySegment>> {
  const fetch = blobFetcher(link);
  const segments: Record<string, ReadySegment> = {};
  for (const [name, hash] of Object.entries(named))
    segments[name] = (await readSegment(name, hash, { fetch, fetchChunk: fetch, tables: new Map() })).ready;
  return segments;
}

/** Fetches one blob by direct get. */
export const blobFetcher =
  (link: NatsLink) =>
  async (hash: string): Promise<Uint8Array | undefined> =>
    (await readState(link, SUBJECTS.blob(hash)))?.data;
