import type { ManifestPayload } from "../contract/rules.ts";
import type { Logger } from "../io/log.ts";
import type { NatsLink } from "../io/nats.ts";
import { assemble, type BlobCache, blobFetcher, CorruptRulesError, decodeManifest, isNewer } from "../io/rules-store.ts";
import type { CurrentRules } from "./current-rules.ts";

/** Takes manifests as they come, in whatever order, and puts the newest in force. */
export interface ManifestFeed {
  /** Never throws: a manifest that cannot be used is counted, logged once and told in the receipt. */
  offer(data: Uint8Array): void;
  refuse(error: unknown): void;
  stop(): void;
}

/** A blob may lack on a replica that lags, or NATS may not answer: the manifest is tried again before the next repair. */
const RETRY_MS = 500;
const RETRIES = 20;

/** One manifest at a time, the newest of those that wait: fetching blobs must not let an older one overtake. */
export function createManifestFeed(link: NatsLink, { rules, log }: { rules: CurrentRules; log: Logger }): ManifestFeed {
  const blobs: BlobCache = new Map();
  let waiting: { readonly payload: ManifestPayload; readonly retriesLeft: number } | undefined;
  let isWorking = false;
  let retry: NodeJS.Timeout | undefined;
  const refuse = (error: unknown): void => {
    const problem = error instanceof Error ? error.message : String(error);
    if (rules.reject(problem)) log.error({ problem }, "rules refused, the last good ones stay");
  };
  const takeOne = async (payload: ManifestPayload, retriesLeft: number): Promise<void> => {
    if (!isNewer(payload, rules.ruleSet())) return rules.confirm(payload);
    try {
      if (!rules.offer(await assemble(payload, blobs, blobFetcher(link)))) return;
      log.info({ epoch: payload.epoch, revision: payload.revision }, "rules in force");
    } catch (error) {
      // Counted once, however often it is tried.
      if (retriesLeft === RETRIES) {
        if (error instanceof CorruptRulesError) refuse(error);
        else log.warn({ error, revision: payload.revision }, "rules could not be fetched whole, trying again");
      }
      if (retriesLeft === 0) return;
      retry = setTimeout(() => take(payload, retriesLeft - 1), RETRY_MS);
      retry.unref();
    }
  };
  const work = async (): Promise<void> => {
    isWorking = true;
    for (let next = waiting; next !== undefined; next = waiting) {
      waiting = undefined;
      await takeOne(next.payload, next.retriesLeft);
    }
    isWorking = false;
  };
  const take = (payload: ManifestPayload, retriesLeft: number): void => {
    clearTimeout(retry);
    if (waiting === undefined || isNewer(payload, waiting.payload)) waiting = { payload, retriesLeft };
    if (!isWorking) void work();
  };
  return {
    refuse,
    offer(data) {
      try {
        take(decodeManifest(data), RETRIES);
      } catch (error) {
        refuse(error);
      }
    },
    stop: () => clearTimeout(retry),
  };
}
