import type { Clock } from "../io/clock.ts";
import type { ConnectionStanding } from "../io/connection-standing.ts";
import type { Logger } from "../io/log.ts";
import { connectNats, type NatsLink } from "../io/nats.ts";
import type { NatsAccess } from "../io/nats-access.ts";
import type { Slices } from "../io/slices.ts";
import type { Beat, BeatState } from "./beat.ts";
import type { PartsSender } from "./changed-parts.ts";
import type { Counts } from "./counts.ts";
import type { CurrentRules } from "./current-rules.ts";
import { type EvidenceSender, startEvidence } from "./evidence.ts";
import { startFailingUsersSender } from "./failing-users-sender.ts";
import type { KillOrders } from "./kill-orders.ts";
import type { FeedParts } from "./manifest-feed.ts";
import { startMixSender } from "./mix-sender.ts";
import { type NatsSource, startNatsSource } from "./nats-source.ts";
import type { SidecarSettings } from "./options.ts";
import type { OwnTimes } from "./own-times.ts";
import { type Receipts, startReceipts } from "./receipts.ts";
import type { RulesDisk } from "./rules-disk.ts";

/** Everything of a sidecar that talks over NATS. */
export interface NatsSide {
  /** A request failed on the canary of this rollout. */
  urgent(rollout: string): void;
  /** Tells a change of the beat's state. */
  standingIs(state: BeatState): void;
  stop(): Promise<void>;
}

interface Parts extends Counts {
  readonly settings: SidecarSettings;
  readonly rules: CurrentRules;
  readonly beat: Beat;
  readonly clock: Clock;
  readonly log: Logger;
  readonly slices: Slices;
  readonly disk: RulesDisk | undefined;
  readonly killOrders: KillOrders;
  standing(): BeatState;
  /** NATS has told rules and beat, as far as it has any. */
  onTold(): void;
  readonly times: Pick<OwnTimes, "rulesInForce">;
  readonly connection: ConnectionStanding | undefined;
}

interface Connected {
  readonly link: NatsLink;
  readonly source: NatsSource;
  readonly receipts: Receipts;
  readonly evidence: EvidenceSender;
  /** All that is counted: the evidence, failing users and the mix of users. */
  readonly senders: readonly Omit<PartsSender, "tell">[];
}

const TOUCH_MS = 5_000;

/** Connects in the background, for ever: a sidecar serves while NATS is away. */
export function startNatsSide(access: NatsAccess, parts: Parts): NatsSide {
  const { settings, rules, log } = parts;
  let connected: Connected | undefined;
  const stopping = new AbortController();
  let told: BeatState = "ok";
  const disk = keepOnDisk(parts);

  const connecting = (async () => {
    const onTrouble = (problem: string): void => log.error({ problem }, "NATS refuses something, trying on");
    const name = `serin-sidecar ${settings.id}`;
    const link = await connectNats({ ...access, name, waitForServer: true, signal: stopping.signal, onTrouble });
    if (stopping.signal.aborted) return link.close();
    log.info({ nats: access.url }, "connected to NATS");
    parts.connection?.follow(link);
    connected = start(link, parts, disk);
    // Follows from the first moment: a reconnection during the first repair must not go unseen.
    await Promise.all([followReconnects(connected, log), firstRepair(connected, parts)]);
  })().catch((error: unknown) => {
    if (!stopping.signal.aborted) log.error({ error }, "NATS connection ended");
  });
  const slow = setTimeout(() => {
    if (connected !== undefined) return;
    log.warn({ nats: access.url, revision: rules.ruleSet().revision }, "NATS does not answer; serving the rules at hand and trying on");
  }, 3_000).unref();

  return {
    urgent: (rollout) => connected?.evidence.urgent(rollout),
    standingIs(state) {
      if (state === told) return;
      const text = { ok: "a controller watches again", stale: "no beat for a while", unwatched: "nobody watches: shares go to stable" }[
        state
      ];
      log[state === "ok" ? "info" : "warn"]({ state, beatAgeMs: parts.beat.ageMs() }, text);
      told = state;
      connected?.receipts.send();
    },
    async stop() {
      stopping.abort();
      clearTimeout(slow);
      await disk?.stop();
      if (connected !== undefined) {
        for (const sender of connected.senders) await sender.stop();
        connected.source.stop();
        await connected.receipts.goodbye();
        await connected.link.close();
      }
      await connecting;
    },
  };
}

function start(link: NatsLink, parts: Parts, disk: Keeping | undefined): Connected {
  const { settings, rules, log, beat, cells, failing, mix, clock, slices, killOrders, times } = parts;
  const { id, labels } = settings;
  const common = { id, link, rules, log, slices };
  const failingUsers = startFailingUsersSender({ ...common, failing });
  const evidence = startEvidence({ ...common, cells, clock, beforehand: failingUsers.tell });
  const senders = [evidence, failingUsers, startMixSender({ ...common, mix })];
  const onNewTerm = (): void => resendAll(senders);
  const heard = { onNewTerm, onKill: killOrders.hear, onInForce: times.rulesInForce };
  const source = startNatsSource(link, { rules, beat, log, ...heard, ...disk });
  const receipts = startReceipts({ id, labels, link, rules, clock, beat: () => ({ state: parts.standing(), ageMs: beat.ageMs() }) });
  return { link, source, receipts, evidence, senders };
}

async function firstRepair({ source }: Connected, { onTold }: Parts): Promise<void> {
  await source.repair();
  await source.settled();
  onTold();
}

function resendAll(senders: Connected["senders"]): void {
  for (const sender of senders) sender.resend();
}

async function followReconnects({ link, source, receipts, senders }: Connected, log: Logger): Promise<void> {
  for await (const status of link.connection.status()) {
    if (status.type === "disconnect") log.warn("NATS connection lost, serving on and trying again");
    if (status.type !== "reconnect") continue;
    log.info("connected to NATS again");
    resendAll(senders);
    receipts.send();
    await source.repair();
  }
}

interface Keeping extends Required<Pick<FeedParts, "loaded" | "keep">> {
  stop(): Promise<void>;
}

/** Writes rules that took force to disk and lets the file's time follow the beat; undefined where none are kept. */
function keepOnDisk({ disk, rules, beat, clock, log }: Parts): Keeping | undefined {
  if (disk === undefined) return undefined;
  const onError = (error: unknown): void => log.error({ error }, "rules cannot be kept on disk");
  const touch = async (): Promise<void> => {
    const ageMs = beat.ageMs();
    // While segments are awaited the disk has the rules from before, and no beat makes those younger.
    const isKept = rules.ruleSet().revision > 0 && rules.awaited().segments.length === 0;
    if (ageMs !== undefined && isKept) await disk.touch(clock.nowMs() - ageMs);
  };
  const timer = setInterval(() => void touch().catch(onError), TOUCH_MS);
  timer.unref();
  return {
    loaded: disk.loaded,
    keep: (kept) => disk.save(kept).then(touch).catch(onError),
    async stop() {
      clearInterval(timer);
      await touch().catch(onError);
    },
  };
}
