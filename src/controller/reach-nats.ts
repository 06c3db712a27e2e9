import type { Logger } from "../io/log.ts";
import { connectNats, type NatsLink, type NatsOptions } from "../io/nats.ts";
import { natsAccess } from "../io/nats-access.ts";
import type { ControllerSettings } from "./options.ts";

const SLOW_MS = 3_000;

/**
 * `told` brings what sidecars count, and nothing else: answers to the leader's writes must not wait behind it.
 * Throws UsageError where it cannot be tried at all.
 */
export async function reachNats({ id, ...flags }: ControllerSettings, log: Logger, signal: AbortSignal | undefined) {
  const access = natsAccess(flags);
  const { url } = access;
  const slow = setTimeout(() => log.warn({ nats: url }, "NATS does not answer; neither leading nor standing by, and trying on"), SLOW_MS);
  const connect = (name: string, more: Pick<NatsOptions, "onTrouble"> = {}): Promise<NatsLink> =>
    connectNats({ ...access, name, waitForServer: true, doubtsSilence: true, ...(signal && { signal }), ...more });
  // Both are the same user: one tells for both.
  const onTrouble = (problem: string): void => log.error({ problem }, "NATS refuses something, trying on");
  try {
    const [link, told] = await Promise.all([connect(`serin controller ${id}`, { onTrouble }), connect(`serin controller ${id} counts`)]);
    log.info({ nats: url }, "connected to NATS");
    return { link, told };
  } finally {
    clearTimeout(slow);
  }
}
