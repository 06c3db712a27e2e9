import type { Logger } from "../io/log.ts";
import type { Replication } from "../io/nats.ts";
import type { ControllerSettings } from "./options.ts";

/** Replicas as the options want them. A stream on fewer servers is said once: its owner may change it, a controller may not. */
export function replicationOf({ natsReplicas: replicas }: Pick<ControllerSettings, "natsReplicas">, log: Logger): Replication {
  const told = new Set<string>();
  return {
    replicas,
    onFewer(stream, has) {
      if (told.has(stream)) return;
      told.add(stream);
      const fix = `nats stream edit ${stream} --replicas ${replicas}`;
      log.warn({ stream, replicas: has, fix }, "a stream is kept on fewer NATS servers than --nats-replicas says");
    },
  };
}
