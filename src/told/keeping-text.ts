import { STREAMS } from "../contract/names.ts";
import type { Keeping } from "../contract/picture.ts";

/** What an operator should know of a cluster of NATS; nothing where all is well. */
export function keepingLines({ cluster, replicas, leads, behind }: Keeping): string[] {
  if (leads === null) {
    const who = behind.length === 0 ? "" : `; away or behind: ${behind.join(", ")}`;
    return [`NATS takes no writes: too few of the ${replicas} servers that keep live state answer each other${who}`];
  }
  if (replicas === 1)
    return [`one server alone of NATS' cluster ${cluster} keeps live state; \`nats stream edit ${STREAMS.state} --replicas 3\` mends it`];
  return behind.length === 0 ? [] : [`${behind.length} of ${replicas} NATS servers away or behind: ${behind.join(", ")}`];
}
