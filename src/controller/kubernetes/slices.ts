import * as z from "zod";

const ConditionSchema = z.boolean().nullish();

const SliceSchema = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }),
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()),
        conditions: z.object({ ready: ConditionSchema, terminating: ConditionSchema }).default({}),
        targetRef: z.object({ kind: z.string().default(""), name: z.string().default(""), uid: z.string().default("") }).nullish(),
      }),
    )
    .nullish(),
});

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
export function parseSlice(object: unknown): Slice {
  const { metadata, endpoints } = SliceSchema.parse(object);
  return {
    service: metadata.labels["kubernetes.io/service-name"] ?? "",
    endpoints: (endpoints ?? [])
      .filter(({ conditions }) => conditions.terminating !== true)
      .map(({ addresses, conditions, targetRef }) => ({
        id: targetRef?.uid || (addresses[0] ?? ""),
        isReady: conditions.ready ?? true,
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
