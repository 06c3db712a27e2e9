import type { ServerUnaryCall, ServerWritableStream, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";

interface HealthAnswer {
  readonly status: "SERVING" | "NOT_SERVING";
}

/** gRPC health (grpc.health.v1) of the whole server, whatever service is asked for. */
export interface Health {
  readonly implementation: UntypedServiceImplementation;
  isServing(): boolean;
  set(isServing: boolean): void;
  /** Ends the watches, which clients keep open for ever. */
  endAll(): void;
}

/** Starts as not serving. */
export function createHealth(): Health {
  let isServing = false;
  const watches = new Set<ServerWritableStream<object, HealthAnswer>>();
  const answer = (): HealthAnswer => ({ status: isServing ? "SERVING" : "NOT_SERVING" });
  return {
    implementation: {
      check(_call: ServerUnaryCall<object, HealthAnswer>, callback: sendUnaryData<HealthAnswer>): void {
        callback(null, answer());
      },
      watch(call: ServerWritableStream<object, HealthAnswer>): void {
        watches.add(call);
        call.write(answer());
        for (const event of ["cancelled", "close", "error"]) call.on(event, () => watches.delete(call));
      },
    },
    isServing: () => isServing,
    set(next) {
      if (next === isServing) return;
      isServing = next;
      for (const watch of watches) watch.write(answer());
    },
    endAll() {
      for (const watch of watches) watch.end();
      watches.clear();
    },
  };
}
