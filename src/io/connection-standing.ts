import { METRICS } from "../contract/names.ts";
import { type Reading, reading } from "./metric-points.ts";
import type { NatsLink } from "./nats.ts";

/** Whether there is a connection to NATS, and how often it came back. */
export interface ConnectionStanding {
  /** Follows this connection, from now until it ends for good. */
  follow(link: NatsLink): void;
  readings(): Reading[];
}

/** Before the first connection. */
export function createConnectionStanding(): ConnectionStanding {
  let isConnected = false;
  let reconnects = 0;
  const watch = async ({ connection }: NatsLink): Promise<void> => {
    isConnected = true;
    for await (const { type } of connection.status()) {
      if (type === "disconnect" || type === "close") isConnected = false;
      if (type !== "reconnect") continue;
      isConnected = true;
      reconnects += 1;
    }
    isConnected = false;
  };
  return {
    follow: (link) => void watch(link),
    readings: () => [reading(METRICS.natsConnected, Number(isConnected)), reading(METRICS.natsReconnects, reconnects)],
  };
}
