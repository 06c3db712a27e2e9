import { ControllerOptionsSchema } from "../../../src/controller/options.ts";
import type { TermParts } from "../../../src/controller/ports.ts";
import { createLog } from "../../../src/io/log.ts";
import type { MemoryStore } from "./memory-store.ts";

/** What a time in office needs, over a store in memory that takes every write; time stands still. */
export function partsOver(store: MemoryStore): TermParts {
  const { isKilled: _, ...ports } = store.ports(Number.POSITIVE_INFINITY);
  const clock = { nowMs: () => 5, monotonicMs: () => 5 };
  const settings = ControllerOptionsSchema.parse({ id: "a", nats: "nats://unused" });
  return { id: "a", term: 1, settings, clock, log: createLog({ name: "test", level: "silent" }), ...ports, killed: () => undefined };
}
