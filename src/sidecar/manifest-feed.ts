import { compareRevision } from "../contract/rules.ts";
import type { UserTable } from "../contract/user-lists.ts";
import type { Logger } from "../io/log.ts";
import type { ManifestText } from "../io/manifest-text.ts";
import type { NatsLink } from "../io/nats.ts";
import { blobFetcher } from "../io/rules-reader.ts";
import { CorruptRulesError, decodeManifestText, isNewer } from "../io/rules-store.ts";
import { createSlices, type Slices } from "../io/slices.ts";
import type { CurrentRules } from "./current-rules.ts";
import { type FetchBlob, type LoadedManifest, loadManifest, type Shelf } from "./manifest-loader.ts";
import type { KeptRules } from "./rules-disk.ts";
import { blobsOf, loadedChunk } from "./segment-loader.ts";

/** Takes manifests as they come, in whatever order, and puts the newest in force. */
export interface ManifestFeed {
  /** Never throws: a manifest that cannot be used is counted, logged once and told in the receipt. */
  offer(data: Uint8Array): void;
  refuse(error: unknown): void;
  stop(): void;
}

/** What a feed needs besides the connection. */
export interface FeedParts {
  readonly rules: CurrentRules;
  readonly log: Logger;
  /** The manifest that was read from disk. */
  loaded?(): LoadedManifest | undefined;
  /** Keeps the rules that took force; settles when that is done, and never rejects. */
  keep?(rules: KeptRules): Promise<void>;
}

/** A blob may lack on a replica that lags, or NATS may not answer: the manifest is tried again before the next repair. */
const RETRY_MS = 500;
const RETRIES = 20;

interface Waiting {
  readonly data: Uint8Array;
  readonly manifest: ManifestText;
  /** Of the work that began when it came. */
  readonly pause: Slices;
  readonly retriesLeft: number;
}

/** One manifest at a time, the newest of those that wait: fetching blobs must not let an older one overtake. */
export function createManifestFeed(link: NatsLink, parts: FeedParts): ManifestFeed {
  const { rules, log } = parts;
  const put = createPutter(link, parts);
  let read: ManifestText | undefined = parts.loaded?.()?.manifest;
  let waiting: Waiting | undefined;
  let isWorking = false;
  let retry: NodeJS.Timeout | undefined;
  const refuse = (error: unknown): void => {
    const problem = error instanceof Error ? error.message : String(error);
    if (rules.reject(problem)) log.error({ problem }, "rules refused, the last good ones stay");
  };
  const takeOne = async (next: Waiting): Promise<void> => {
    const { head } = next.manifest;
    if (!isNewer(head, rules.ruleSet())) return rules.confirm(head);
    try {
      if (!(await put(next))) return;
      log.info({ epoch: head.epoch, revision: head.revision }, "rules in force");
    } catch (error) {
      // Counted once, however often it is tried.
      if (next.retriesLeft === RETRIES) {
        if (error instanceof CorruptRulesError) refuse(error);
        else log.warn({ error, revision: head.revision }, "rules could not be fetched whole, trying again");
      }
      if (next.retriesLeft === 0) return;
      retry = setTimeout(() => take({ ...next, pause: createSlices(), retriesLeft: next.retriesLeft - 1 }), RETRY_MS);
      retry.unref();
    }
  };
  const work = async (): Promise<void> => {
    isWorking = true;
    for (let next = waiting; next !== undefined; next = waiting) {
      waiting = undefined;
      await takeOne(next);
    }
    isWorking = false;
  };
  const take = (next: Waiting): void => {
    clearTimeout(retry);
    if (waiting === undefined || isNewer(next.manifest.head, waiting.manifest.head)) waiting = next;
    if (!isWorking) void work();
  };
  return {
    refuse,
    offer(data) {
      try {
        const pause = createSlices();
        read = decodeManifestText(data, read);
        take({ data, manifest: read, pause, retriesLeft: RETRIES });
      } catch (error) {
        refuse(error);
      }
    },
    stop: () => clearTimeout(retry),
  };
}

/** Puts a manifest in force as it differs from the one before; false when it is not newer any more. Throws as `loadManifest`. */
function createPutter(link: NatsLink, { rules, loaded, keep }: FeedParts): (next: Waiting) => Promise<boolean> {
  const fromNats = blobFetcher(link);
  const shelves = new Map<string, Shelf>();
  const tables = new Map<string, UserTable>();
  /** Bytes that the disk has yet to get. */
  const fetched = new Map<string, Uint8Array>();
  let last = loaded?.();
  const fetch = async (hash: string): Promise<Uint8Array | undefined> => {
    const data = fetched.get(hash) ?? (await fromNats(hash));
    if (data !== undefined && keep !== undefined) fetched.set(hash, data);
    return data;
  };
  return async ({ data, manifest, pause }) => {
    const inForce = rules.compiled();
    // Rules of another source stand between, or none at all: everything counts as changed.
    const before = last !== undefined && compareRevision(last.manifest.head, inForce) === 0 ? last : undefined;
    const next = await loadManifest(manifest, { loaded: before, inForce }, { shelves, tables, fetch, fetchChunk: fromNats, pause });
    if (!rules.offer(next.change)) return false;
    last = next.loaded;
    shelves.clear();
    tables.clear();
    const blobs = [...Object.values(manifest.head.blobs), ...blobsOf(next.loaded.segments)];
    const held: FetchBlob = async (hash) => loadedChunk(next.loaded.segments, hash) ?? (await fetch(hash));
    void keep?.({ manifest: data, blobs, fetch: held }).then(() => fetched.clear());
    return true;
  };
}
