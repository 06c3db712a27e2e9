import type { V1Endpoint, V1EndpointSlice } from "@kubernetes/client-node";

/** An endpoint of a Service that does not end. */
export interface Endpoint {
  /** Of the pod, else an address. */
  readonly id: string;
  readonly isReady: boolean;
  /** Name of its pod; undefined where it is none. */
  readonly pod: string | undefined;
}

/** What is kept of an `EndpointSlice` (discovery.k8s.io/v1). */
export interface Slice {
  readonly service: string;
  readonly endpoints: readonly Endpoint[];
}

/** Reads a slice. By the API's documentation a readiness that is not said means ready. */
export function sliceOf({ metadata, endpoints }: V1EndpointSlice): Slice {
  return {
    service: metadata?.labels?.["kubernetes.io/service-name"] ?? "",
    // Null where there are none.
    endpoints: ((endpoints as V1Endpoint[] | null | undefined) ?? [])
      .filter(({ conditions }) => conditions?.terminating !== true)
      .map(({ addresses, conditions, targetRef }) => ({
        id: targetRef?.uid || (addresses[0] ?? ""),
        isReady: conditions?.ready ?? true,
        pod: targetRef?.kind === "Pod" ? targetRef.name : undefined,
      })),
  };
}

/** Endpoints of a Service, each once: it may stand in several slices, by IPv4 and by IPv6 or while it moves; ready where all say so. */
export function endpointsOf(service: string, slices: Iterable<Slice>): Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.service !== service) continue;
    for (const endpoint of slice.endpoints)
      found.set(endpoint.id, { ...endpoint, isReady: endpoint.isReady && found.get(endpoint.id)?.isReady !== false });
  }
  return [...found.values()];
}
