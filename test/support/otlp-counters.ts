import { fromJSON, type MessageTypeDefinition } from "@grpc/proto-loader";
import type { EnvoyGrowth, HistogramGrowth } from "../../src/sidecar/wire/envoy-counters.ts";
import type { ReferenceCodec } from "./reference-codec.ts";
import type { Choose } from "./wire-mutation.ts";

/** As much of OTLP's metrics as the sidecar reads (opentelemetry-proto: metrics_service.proto, metrics.proto), in the tables' notation. */
export const OTLP_TABLES: Readonly<Record<string, string>> = {
  ExportRequest: "1 resourceMetrics ResourceMetrics[]",
  ResourceMetrics: "2 scopeMetrics ScopeMetrics[]",
  ScopeMetrics: "2 metrics Metric[]",
  Metric: "1 name string|7 sum Sum|9 histogram Histogram",
  Sum: "1 dataPoints Point[]",
  Point: "4 asDouble double|6 asInt sfixed64",
  Histogram: "1 dataPoints HistogramPoint[]|2 aggregationTemporality uint32",
  HistogramPoint: "5 sum double|6 bucketCounts sfixed64[]|7 explicitBounds double[]",
};

export const EXPORT_REQUEST = "ExportRequest";

/** The reference decoder for these messages. */
export const otlpCodec = (): ReferenceCodec => otlpCodecOf(EXPORT_REQUEST, OTLP_TABLES);

/** The reference decoder for a message of such tables. */
export function otlpCodecOf(root: string, tables: Readonly<Record<string, string>>): ReferenceCodec {
  const fieldOf = (line: string) => {
    const [id, name = "", kind = ""] = line.split(" ");
    return [name, { id: Number(id), type: kind.replace("[]", ""), ...(kind.endsWith("[]") && { rule: "repeated" }) }] as const;
  };
  const messages = Object.entries(tables).map(([message, table]) => [
    message,
    { fields: Object.fromEntries(table.split("|").map(fieldOf)) },
  ]);
  const loaded = fromJSON({ nested: Object.fromEntries(messages) }, { longs: Number });
  // What is made of messages alone holds messages.
  const type = loaded[root] as MessageTypeDefinition<object, object>;
  return { encode: type.serialize, decode: (bytes) => type.deserialize(bytes) as Record<string, unknown> };
}

interface PlainMetric {
  readonly name?: string;
  readonly sum?: { readonly dataPoints?: readonly { readonly asInt?: number; readonly asDouble?: number }[] };
  readonly histogram?: {
    readonly dataPoints?: readonly { readonly sum?: number; readonly bucketCounts?: number[]; readonly explicitBounds?: number[] }[];
    readonly aggregationTemporality?: number;
  };
}

/** A request, read the plain way; of a point with both kinds of number the whole one counts. */
export function plainGrowth(message: object): EnvoyGrowth {
  const metrics: readonly PlainMetric[] = (Object(message).resourceMetrics ?? []).flatMap(
    ({ scopeMetrics = [] }: { scopeMetrics?: { metrics?: PlainMetric[] }[] }) => scopeMetrics.flatMap(({ metrics: held = [] }) => held),
  );
  return {
    counters: metrics.map(({ name = "", sum }) => [
      name,
      (sum?.dataPoints ?? []).reduce((growth, { asInt, asDouble }) => growth + (asInt ?? asDouble ?? 0), 0),
    ]),
    histograms: metrics.flatMap(({ name = "", histogram }) =>
      (histogram?.dataPoints ?? []).map(
        ({ sum = 0, explicitBounds: bounds = [], bucketCounts: counts = [] }): HistogramGrowth => ({
          name,
          isDelta: histogram?.aggregationTemporality === 1,
          sum,
          bounds,
          counts,
        }),
      ),
    ),
  };
}

/** Requests as Envoy's sink sends them, several points and kinds of numbers among them. */
export function exportRequests(choose: Choose): object[] {
  const point = (): object => (choose(3) === 0 ? { asDouble: choose(1_000) / 8 } : { asInt: choose(2 ** 31) * choose(3) });
  const histogram = (): object => ({
    sum: choose(1_000) / 8,
    bucketCounts: Array.from({ length: choose(4) }, () => choose(2 ** 31)),
    explicitBounds: Array.from({ length: choose(3) }, () => choose(100) / 4),
  });
  const metric = (): object => ({
    name: ["logs_dropped", "logs_written", "failed_open", "größe"][choose(4)],
    ...(choose(5) === 0 ? {} : { sum: { dataPoints: Array.from({ length: choose(4) }, point) } }),
    ...(choose(3) === 0 && {
      histogram: { dataPoints: Array.from({ length: choose(3) }, histogram), aggregationTemporality: choose(3) },
    }),
  });
  const scope = (): object => ({ metrics: Array.from({ length: choose(5) }, metric) });
  return Array.from({ length: 40 }, () => ({
    resourceMetrics: Array.from({ length: 1 + choose(2) }, () => ({ scopeMetrics: Array.from({ length: choose(3) }, scope) })),
  }));
}
