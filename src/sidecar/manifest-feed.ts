import type { ManifestPayload } from "../contract/rules.ts";
import type { Logger } from "../io/log.ts";
import { type NatsLink } from "../io/nats.ts";
import { assemble, type BlobCache, blobFetcher, decodeManifest, isNewer } from "../io/rules-store.ts";
import type { CurrentRules } from "./current-rules.ts";

/** Takes manifests as they come, in whatever order, and puts the newest in force. */
export interface ManifestFeed {
  /** Never throws: a manifest that cannot be used is counted, logged once and told in the receipt. */
  offer(data: Uint8Array): void;
  refuse(error: unknown): void;
}

/** One manifest at a time, the newest of those that wait: fetching blobs must not let an older one overtake. */
export function createManifestFeed(link: NatsLink, { rules, log }: { rules: CurrentRules; log: Logger }): ManifestFeed {
  const blobs: BlobCache = new Map();
  let waiting: ManifestPayload | undefined;
  let isWorking = false;
  const refuse = (error: unknown): void => {
    const problem = error instanceof Error ? error.message : String(error);
    if (rules.reject(problem)) log.error({ problem }, "rules refused, the last good ones stay");
  };
  const takeOne = async (payload: ManifestPayload): Promise<void> => {
    if (!isNewer(payload, rules.ruleSet())) return;
    try {
      if (!rules.offer(await assemble(payload, blobs, blobFetcher(link)))) return;
      log.info({ epoch: payload.epoch, revision: payload.revision }, "rules in force");
    } catch (error) {
      refuse(error);
    }
  };
  const work = async (): Promise<void> => {
    isWorking = true;
    for (let payload = waiting; payload !== undefined; payload = waiting) {
      waiting = undefined;
      await takeOne(payload);
    }
    isWorking = false;
  };
  return {
    refuse,
    offer(data) {
      try {
        const payload = decodeManifest(data);
        if (waiting === undefined || isNewer(payload, waiting)) waiting = payload;
        if (!isWorking) void work();
      } catch (error) {
        refuse(error);
      }
    },
  };
}
