import type { Labels } from "../contract/groups.ts";
import type { Receipt, SidecarState, Stopped } from "../contract/messages.ts";
import { FORMAT, SUBJECTS } from "../contract/names.ts";
import type { Clock } from "../io/clock.ts";
import type { NatsLink } from "../io/nats.ts";
import { type CurrentRules, isSplit } from "./current-rules.ts";

const LIVE_MS = 1_000;
const IDLE_MS = 10_000;
const FLUSH_MS = 1_000;
/** Of more canaries that were stopped than a receipt holds, each tells of others. */
const MOST_STOPPED = 100;

interface Parts {
  readonly id: string;
  readonly labels?: Labels;
  readonly link: NatsLink;
  readonly rules: CurrentRules;
  readonly clock: Clock;
  beat(): { state: SidecarState; ageMs: number | undefined };
}

export interface Receipts {
  /** Says at once how things stand. */
  send(): void;
  /** Says goodbye and stops; the controller then waits for this sidecar no more. */
  goodbye(): Promise<void>;
  stop(): void;
}

/** Says which revision is obeyed: at each change, every second while a canary is live or the rules are new, else every 10 s. */
export function startReceipts({ id, labels, link, rules, clock, beat }: Parts): Receipts {
  const startedAtMs = clock.nowMs();
  let timer: NodeJS.Timeout | undefined;
  let toldStops = 0;
  const nextStops = (): Stopped[] => {
    const all = rules.stopped();
    if (all.length <= MOST_STOPPED) return [...all];
    const from = toldStops % all.length;
    toldStops = from + MOST_STOPPED;
    return [...all, ...all].slice(from, toldStops);
  };
  const publish = (state: SidecarState, isKept = false): void => {
    // What is published while disconnected vanishes; the reconnection sends anew.
    if (link.connection.isClosed()) return;
    const { epoch, revision } = rules.ruleSet();
    const { count, problem } = rules.rejected();
    const ageMs = beat().ageMs;
    const [orders, stopped] = [rules.heardOrders(), nextStops()];
    const receipt: Receipt = {
      format: FORMAT,
      sidecar: id,
      epoch,
      revision,
      sinceMs: Math.round(rules.sinceMs()),
      atMs: Math.round(clock.nowMs()),
      startedAtMs: Math.round(startedAtMs),
      state,
      rejected: count,
      ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { labels }),
      ...(ageMs === undefined ? {} : { beatAgeMs: Math.round(ageMs) }),
      ...(problem === undefined ? {} : { problem: problem.slice(0, 2_000) }),
      ...(stopped.length === 0 ? {} : { stopped }),
      ...(orders.length === 0 ? {} : { orders: [...orders] }),
    };
    const text = JSON.stringify(receipt);
    if (isKept) link.connection.publish(SUBJECTS.presence(id), text);
    link.connection.publish(SUBJECTS.receipt(id), text);
  };
  const send = (isFirst = false): void => {
    clearTimeout(timer);
    // The first word takes the place of the goodbye that the process before left for leaders to come.
    publish(beat().state, isFirst);
    timer = setTimeout(() => send(), isSplit(rules.compiled()) || rules.isFresh() ? LIVE_MS : IDLE_MS);
    timer.unref();
  };
  const stopListening = rules.onChange(() => send());
  const stop = (): void => {
    clearTimeout(timer);
    stopListening();
  };
  send(true);
  return {
    send: () => send(),
    stop,
    async goodbye() {
      stop();
      publish("goodbye", true);
      // Without a connection the flush would wait for the next one; one that ends meanwhile has nobody left to hear it.
      const flushed = link.connection.isClosed() ? undefined : link.connection.flush().catch(() => undefined);
      let giveUp: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => {
        giveUp = setTimeout(resolve, FLUSH_MS);
      });
      await Promise.race([flushed, deadline]);
      clearTimeout(giveUp);
    },
  };
}
