import { setTimeout as delay } from "node:timers/promises";

/** Before the first package: who asked meanwhile whether the sidecar serves hears it first. */
const FIRST_PAUSE_MS = 20;

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

/**
 * Package by package, and between two as long a pause as the last took: all at once they would hold up a request for longer than Envoy
 * waits for its answer.
 */
async function inTurns(packages: readonly (() => Promise<unknown>)[]): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  for (const load of packages) {
    await delay(pauseMs);
    const begunMs = performance.now();
    await load();
    pauseMs = performance.now() - begunMs;
  }
}
