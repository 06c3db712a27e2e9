import type { Logger } from "../io/log.ts";
import { connectNats, type NatsLink } from "../io/nats.ts";
import type { ControllerSettings } from "./options.ts";

const SLOW_MS = 3_000;

/** `told` brings what sidecars count, and nothing else: answers to the leader's writes must not wait behind it. */
export async function reachNats({ nats: url, id }: ControllerSettings, log: Logger, signal: AbortSignal | undefined) {
  const slow = setTimeout(() => log.warn({ nats: url }, "NATS does not answer; neither leading nor standing by, and trying on"), SLOW_MS);
  const connect = (name: string): Promise<NatsLink> => connectNats({ url, name, waitForServer: true, ...(signal && { signal }) });
  try {
    const [link, told] = await Promise.all([connect(`serin controller ${id}`), connect(`serin controller ${id} counts`)]);
    log.info({ nats: url }, "connected to NATS");
    return { link, told };
  } finally {
    clearTimeout(slow);
  }
}
