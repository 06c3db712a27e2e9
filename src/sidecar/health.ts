import type { Call, Method } from "./h2/stream.ts";

/** gRPC health (grpc.health.v1) of the whole server, whatever service is asked for. */
export interface Health {
  readonly check: Method;
  readonly watch: Method;
  isServing(): boolean;
  set(isServing: boolean): void;
  /** Ends the watches, which clients keep open for ever. */
  endAll(): void;
}

/** `HealthCheckResponse` with `status` SERVING or NOT_SERVING (health.proto). */
const SERVING = Buffer.from([0x08, 1]);
const NOT_SERVING = Buffer.from([0x08, 2]);

/** Starts as not serving. */
export function createHealth(): Health {
  let isServing = false;
  const watches = new Set<Call>();
  const answer = (): Buffer => (isServing ? SERVING : NOT_SERVING);
  return {
    check: (call) => ({
      message: () => call.send(answer()),
      halfClosed: () => call.end(),
      closed: () => undefined,
    }),
    watch: (call) => ({
      message() {
        watches.add(call);
        call.send(answer());
      },
      // A client of a server stream ends its side at once, and listens on.
      halfClosed: () => undefined,
      closed: () => void watches.delete(call),
    }),
    isServing: () => isServing,
    set(next) {
      if (next === isServing) return;
      isServing = next;
      for (const watch of watches) {
        watch.send(answer());
        watch.flush();
      }
    },
    endAll() {
      for (const watch of watches) {
        watch.end();
        watch.flush();
      }
    },
  };
}
