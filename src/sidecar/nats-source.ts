import { SUBJECTS } from "../contract/names.ts";
import { LeaseSchema, type ManifestPayload } from "../contract/rules.ts";
import type { Logger } from "../io/log.ts";
import { type NatsLink, readState, subscribeSafely } from "../io/nats.ts";
import { assemble, type BlobCache, blobFetcher, decodeManifest, isNewer } from "../io/rules-store.ts";
import type { Beat } from "./beat.ts";
import type { CurrentRules } from "./current-rules.ts";

const REPAIR_MS = 15_000;

export interface NatsSource {
  /** Reads manifest and lease anew: after a connection and now and then. */
  repair(): Promise<void>;
  stop(): void;
}

interface Parts {
  readonly rules: CurrentRules;
  readonly beat: Beat;
  readonly log: Logger;
}

/** Follows the rules by push, and repairs by a direct get on start, on each reconnection and every 15 s. */
export function startNatsSource(link: NatsLink, { rules, beat, log }: Parts): NatsSource {
  const blobs: BlobCache = new Map();
  const refuse = (error: unknown): void => {
    const problem = error instanceof Error ? error.message : String(error);
    if (rules.reject(problem)) log.error({ problem }, "rules refused, the last good ones stay");
  };

  // One manifest at a time, the newest of those that wait: fetching blobs must not let an older one overtake.
  let waiting: ManifestPayload | undefined;
  let working = false;
  const work = async (): Promise<void> => {
    working = true;
    try {
      while (waiting !== undefined) {
        const payload = waiting;
        waiting = undefined;
        if (!isNewer(payload, rules.ruleSet())) continue;
        try {
          if (rules.offer(await assemble(payload, blobs, blobFetcher(link)))) {
            log.info({ epoch: payload.epoch, revision: payload.revision }, "rules in force");
          }
        } catch (error) {
          refuse(error);
        }
      }
    } finally {
      working = false;
    }
  };
  const offer = (data: Uint8Array): void => {
    const payload = decodeManifest(data);
    if (waiting === undefined || isNewer(payload, waiting)) waiting = payload;
    if (!working) void work();
  };

  const hearLease = (data: Uint8Array): void => beat.heard(LeaseSchema.parse(JSON.parse(Buffer.from(data).toString("utf8"))));
  const onBadLease = (error: unknown): void => log.warn({ error }, "lease could not be read");
  const stops = [
    subscribeSafely(link, SUBJECTS.push(SUBJECTS.manifest), ({ data }) => offer(data), refuse),
    subscribeSafely(link, SUBJECTS.push(SUBJECTS.lease), ({ data }) => hearLease(data), onBadLease),
  ];

  const repair = async (): Promise<void> => {
    try {
      const lease = await readState(link, SUBJECTS.lease);
      if (lease !== undefined) hearLease(lease.data);
    } catch (error) {
      log.debug({ error }, "lease could not be fetched, the next repair tries again");
    }
    let manifest: Awaited<ReturnType<typeof readState>>;
    try {
      manifest = await readState(link, SUBJECTS.manifest);
    } catch (error) {
      log.warn({ error }, "rules could not be fetched, the next repair tries again");
      return;
    }
    try {
      if (manifest !== undefined) offer(manifest.data);
    } catch (error) {
      refuse(error);
    }
  };
  const timer = setInterval(() => void repair(), REPAIR_MS + Math.random() * 1_000);
  timer.unref();
  return {
    repair,
    stop() {
      clearInterval(timer);
      for (const stop of stops) stop();
    },
  };
}
