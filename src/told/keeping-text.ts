import type { Keeping } from "../contract/picture.ts";

/**
 * What an operator should know of a cluster of NATS; nothing where all is well. That more replicas are wanted controllers say in their logs:
 * NATS tells a user of an account not how many servers there are.
 */
export function keepingLines({ replicas, leads, behind }: Keeping): string[] {
  if (leads === null) {
    const who = behind.length === 0 ? "" : `; away or behind: ${behind.join(", ")}`;
    return [`NATS takes no writes: too few of the ${replicas} servers that keep live state answer each other${who}`];
  }
  return behind.length === 0 ? [] : [`${behind.length} of ${replicas} NATS servers away or behind: ${behind.join(", ")}`];
}
