import { SUBJECTS } from "../contract/names.ts";
import { LeaseSchema } from "../contract/rules.ts";
import { readKills } from "../io/kill-store.ts";
import { type NatsLink, readState, type Stored, subscribeSafely } from "../io/nats.ts";
import type { Beat } from "./beat.ts";
import { createManifestFeed, type FeedParts } from "./manifest-feed.ts";

const REPAIR_MS = 15_000;

export interface NatsSource {
  /** Reads manifest and lease anew: after a connection and now and then. */
  repair(): Promise<void>;
  /** Resolves when the manifests that came are in force, or could not be put there yet. */
  settled(): Promise<void>;
  stop(): void;
}

interface Parts extends FeedParts {
  readonly beat: Beat;
  /** Takes an operator's order to switch off. */
  onKill(data: Uint8Array): void;
  /** Another controller leads, or the same one anew: what the last one had not yet written is unknown to it. */
  onNewTerm(): void;
}

/** Follows rules and beat by push, and repairs by direct gets on start, on each reconnection and every 15 s. */
export function startNatsSource(link: NatsLink, parts: Parts): NatsSource {
  const { beat, log, onNewTerm, onKill } = parts;
  const onBadKill = (error: unknown): void => log.error({ error }, "an order to switch off could not be taken");
  const feed = createManifestFeed(link, parts);
  let term: number | undefined;
  const hearLease = (data: Uint8Array, how: "pushed" | "read"): void => {
    const lease = LeaseSchema.parse(JSON.parse(Buffer.from(data).toString("utf8")));
    beat.heard(lease, how);
    if (lease.term === term) return;
    term = lease.term;
    onNewTerm();
  };
  let told = "";
  const onBadLease = (error: unknown): void => {
    const problem = String(error);
    if (problem !== told) log.error({ error }, "lease could not be read, the beat goes by the last good one");
    told = problem;
  };
  const hearSafely = (data: Uint8Array, how: "pushed" | "read"): void => {
    try {
      hearLease(data, how);
    } catch (error) {
      onBadLease(error);
    }
  };
  const stops = [
    subscribeSafely(link, SUBJECTS.push(SUBJECTS.manifest), ({ data }) => feed.offer(data), feed.refuse),
    subscribeSafely(link, SUBJECTS.push(SUBJECTS.lease), ({ data }) => hearSafely(data, "pushed"), onBadLease),
    subscribeSafely(link, SUBJECTS.allKills, ({ data }) => onKill(data), onBadKill),
  ];
  const fetch = async (subject: string): Promise<Stored | undefined> => {
    try {
      return await readState(link, subject);
    } catch (error) {
      log.warn({ error, subject }, "a value could not be fetched, the next repair tries again");
      return undefined;
    }
  };
  const repair = async (): Promise<void> => {
    await readKills(link).then((orders) => orders.forEach(onKill), onBadKill);
    // The beat first: rules that nobody watches any more must not be served until the next look at its age.
    const lease = await fetch(SUBJECTS.lease);
    if (lease !== undefined) hearSafely(lease.data, "read");
    const manifest = await fetch(SUBJECTS.manifest);
    if (manifest === undefined) return;
    // Rules without any lease: their age counts from now.
    if (lease === undefined) beat.startAt(0);
    feed.offer(manifest.data);
  };
  const timer = setInterval(() => void repair(), REPAIR_MS + Math.random() * 1_000).unref();
  return {
    repair,
    settled: () => feed.settled(),
    stop() {
      clearInterval(timer);
      feed.stop();
      for (const stop of stops) stop();
    },
  };
}
