import { createHash } from "node:crypto";
import type * as z from "zod";
import { FORMAT, MAX_BLOBS } from "../contract/names.ts";
import { PATTERNS } from "../contract/rollout.ts";
import {
  type Blob,
  BlobSchema,
  compareRevision,
  type ManifestPayload,
  ManifestPayloadSchema,
  ManifestSchema,
  type RuleSet,
  type StaticRules,
} from "../contract/rules.ts";
import { liveText, type ManifestText, splitManifest } from "./manifest-text.ts";
import { isPlainLive } from "./rules-check.ts";

/** A value in NATS that is not what it should be; the rules in force stay. */
export class CorruptRulesError extends Error {
  override readonly name = "CorruptRulesError";
  readonly code = "RULES_CORRUPT";
}

/** Static rules by the hash of their blob: what a reader has fetched already. */
export type BlobCache = Map<string, Blob["rollouts"]>;

export const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** Shard of a rollout, 0…63: by hash of its name, so that a change touches one blob. */
const shardOf = (rollout: string): number => Number.parseInt(sha256(rollout).slice(0, 8), 16) % MAX_BLOBS;

/** Blobs: shard → hash for the manifest, and the texts to store under their hashes. */
export interface Blobs {
  readonly blobs: Record<string, string>;
  readonly contents: Map<string, string>;
}

/** The static rules of one rollout as they stand in a blob. */
export interface BlobPart {
  readonly shard: number;
  readonly text: string;
}

/** Makes a rollout's part. */
export const blobPart = (name: string, rules: StaticRules): BlobPart => ({
  shard: shardOf(name),
  text: `${JSON.stringify(name)}:${JSON.stringify(rules)}`,
});

/** Puts parts into blobs, in the order given; a blob that is the same as before is not hashed again. */
export function joinBlobs(parts: Iterable<BlobPart>, before?: Blobs): Blobs {
  const shards = new Map<number, string[]>();
  for (const { shard, text } of parts) {
    const there = shards.get(shard);
    if (there === undefined) shards.set(shard, [text]);
    else there.push(text);
  }
  const blobs: Record<string, string> = {};
  const contents = new Map<string, string>();
  for (const [shard, texts] of [...shards].toSorted(([a], [b]) => a - b)) {
    const text = `{"format":${FORMAT},"rollouts":{${texts.join(",")}}}`;
    const known = before?.blobs[shard];
    const hash = known !== undefined && before?.contents.get(known) === text ? known : sha256(text);
    blobs[shard] = hash;
    contents.set(hash, text);
  }
  return { blobs, contents };
}

/** Static rules as blobs. */
export const encodeBlobs = (rollouts: Readonly<Record<string, StaticRules>>): Blobs =>
  joinBlobs(
    Object.entries(rollouts)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, rules]) => blobPart(name, rules)),
  );

/** The manifest as stored. */
export const encodeManifest = (payload: ManifestPayload): string =>
  JSON.stringify({ format: FORMAT, payload: JSON.stringify(payload) } satisfies z.infer<typeof ManifestSchema>);

/** The payload of a stored manifest. Throws CorruptRulesError. */
export function decodeManifest(data: Uint8Array): ManifestPayload {
  return decodePayload(decodeJson(ManifestSchema, bufferOf(data).toString("utf8"), "manifest").payload);
}

/** A stored manifest as text; where one was read before, only what differs is parsed and checked. Throws CorruptRulesError. */
export function decodeManifestText(data: Uint8Array, before?: ManifestText): ManifestText {
  const split = before === undefined ? undefined : splitManifest(bufferOf(data), before);
  if (split !== undefined) return split;
  const { live, ...head } = decodeManifest(data);
  return { head, live: liveText(live) };
}

/** The same bytes, without a copy. */
const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength);

function decodePayload(text: string): ManifestPayload {
  const payload: unknown = parseJson(text, "manifest's payload");
  const { live, ...head } = Object(payload);
  const isPlain =
    Object(live) === live &&
    !Array.isArray(live) &&
    Object.entries(live).every(([name, rule]) => PATTERNS.name.test(name) && isPlainLive(rule));
  // The schema says what is wrong, or that it is right all the same.
  if (!isPlain) return check(ManifestPayloadSchema, payload, "manifest's payload");
  return { ...check(ManifestPayloadSchema.omit({ live: true }), head, "manifest's payload"), live };
}

/** Joins a manifest with its blobs, fetching the ones that the cache lacks. Throws CorruptRulesError. */
export async function assemble(
  payload: ManifestPayload,
  cache: BlobCache,
  fetchBlob: (hash: string) => Promise<Uint8Array | undefined>,
): Promise<RuleSet> {
  const hashes = Object.values(payload.blobs);
  const missing = hashes.filter((hash) => !cache.has(hash));
  for (const [hash, rollouts] of await Promise.all(missing.map((hash) => loadBlob(hash, fetchBlob)))) cache.set(hash, rollouts);
  const rollouts: RuleSet["rollouts"] = {};
  const held = Object.assign({}, ...hashes.map((hash) => cache.get(hash))) as Blob["rollouts"]; // Object.assign of a list loses the type
  for (const [name, live] of Object.entries(payload.live)) {
    // Not by plain access: a rollout may be called "constructor".
    const rules = Object.hasOwn(held, name) ? held[name] : undefined;
    if (rules === undefined) throw new CorruptRulesError(`the manifest serves ${name}, but no blob of it holds its rules`);
    rollouts[name] = { rules, live };
  }
  for (const hash of cache.keys()) if (!hashes.includes(hash)) cache.delete(hash);
  return { format: FORMAT, epoch: payload.epoch, revision: payload.revision, rollouts };
}

/** True when `next` comes after `current`; a reader never steps back. */
export const isNewer = (next: { epoch: number; revision: number }, current: { epoch: number; revision: number } | undefined): boolean =>
  current === undefined || compareRevision(next, current) > 0;

async function loadBlob(hash: string, fetchBlob: (hash: string) => Promise<Uint8Array | undefined>): Promise<[string, Blob["rollouts"]]> {
  const data = await fetchBlob(hash);
  if (data === undefined) throw new CorruptRulesError(`blob ${hash} is not in the store`);
  if (sha256(data) !== hash) throw new CorruptRulesError(`blob ${hash} does not have its hash`);
  return [hash, decodeJson(BlobSchema, Buffer.from(data).toString("utf8"), `blob ${hash}`).rollouts];
}

/** JSON of a schema's kind; `what` names it in what is thrown. Throws CorruptRulesError. */
export const decodeJson = <Schema extends z.ZodType>(schema: Schema, text: string, what: string): z.infer<Schema> =>
  check(schema, parseJson(text, what), what);

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CorruptRulesError(`the ${what} is not JSON`, { cause });
  }
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const first = result.error.issues[0];
  throw new CorruptRulesError(`the ${what} does not fit its schema at ${first?.path.join(".") ?? "?"}: ${first?.message ?? "?"}`);
}
