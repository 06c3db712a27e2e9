import { setImmediate as nextTurn } from "node:timers/promises";

/** The code for NATS, loaded while requests are answered. */
export async function loadNatsSide(): Promise<typeof import("./nats-side.ts")> {
  await inTurns([
    () => import("@nats-io/transport-node"),
    () => import("@nats-io/jetstream"),
    () => import("@opentelemetry/api"),
    () => import("@opentelemetry/resources"),
    () => import("@opentelemetry/sdk-metrics"),
    () => import("@opentelemetry/otlp-transformer"),
  ]);
  return import("./nats-side.ts");
}

/** Package by package: all at once they would hold up a request for longer than Envoy waits for its answer. */
async function inTurns(packages: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const load of packages) {
    await load();
    await nextTurn();
  }
}
