import { SUBJECTS } from "../contract/names.ts";
import { LeaseSchema } from "../contract/rules.ts";
import type { Logger } from "../io/log.ts";
import { type NatsLink, readState, subscribeSafely } from "../io/nats.ts";
import type { Beat } from "./beat.ts";
import type { CurrentRules } from "./current-rules.ts";
import { createManifestFeed } from "./manifest-feed.ts";

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
  /** Another controller leads, or the same one anew: what the last one had not yet written is unknown to it. */
  onNewTerm(): void;
}

/** Follows rules and beat by push, and repairs by direct gets on start, on each reconnection and every 15 s. */
export function startNatsSource(link: NatsLink, { rules, beat, log, onNewTerm }: Parts): NatsSource {
  const feed = createManifestFeed(link, { rules, log });
  let term: number | undefined;
  const hearLease = (data: Uint8Array): void => {
    const lease = LeaseSchema.parse(JSON.parse(Buffer.from(data).toString("utf8")));
    beat.heard(lease);
    if (lease.term === term) return;
    term = lease.term;
    onNewTerm();
  };
  const onBadLease = (error: unknown): void => log.warn({ error }, "lease could not be read");
  const stops = [
    subscribeSafely(link, SUBJECTS.push(SUBJECTS.manifest), ({ data }) => feed.offer(data), feed.refuse),
    subscribeSafely(link, SUBJECTS.push(SUBJECTS.lease), ({ data }) => hearLease(data), onBadLease),
  ];
  const fetch = async (subject: string, take: (data: Uint8Array) => void): Promise<void> => {
    try {
      const stored = await readState(link, subject);
      if (stored !== undefined) take(stored.data);
    } catch (error) {
      log.warn({ error, subject }, "a value could not be fetched, the next repair tries again");
    }
  };
  const repair = async (): Promise<void> => {
    await fetch(SUBJECTS.lease, hearLease);
    await fetch(SUBJECTS.manifest, feed.offer);
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
