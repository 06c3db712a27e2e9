import { Cursor } from "./cursor.ts";
import { type Field, type Message, MessageReader } from "./fields.ts";

const keep = (name: string, kind: Field["kind"], shape: Field["shape"] = "list"): Field => ({ name, kind, shape, keys: [] });

/** Fields by number, out of opentelemetry-proto's metrics.proto and metrics_service.proto; what is not named here is skipped. */
const message = (fields: readonly (readonly [number, Field])[]): Message => {
  const made: Message = [];
  for (const [number, field] of fields) made[number] = field;
  return made;
};
const POINT = message([
  [4, keep("asDouble", "double", "one")],
  [6, keep("asInt", "sfixed64", "one")],
]);
const METRIC = message([
  [1, keep("name", "string", "one")],
  [7, keep("sum", message([[1, keep("dataPoints", POINT)]]), "one")],
]);
const REQUEST = message([[1, keep("resourceMetrics", message([[2, keep("scopeMetrics", message([[2, keep("metrics", METRIC)]]))]]))]]);

interface Request {
  readonly resourceMetrics?: readonly { readonly scopeMetrics?: readonly { readonly metrics?: readonly Metric[] }[] }[];
}
interface Metric {
  readonly name?: string;
  readonly sum?: { readonly dataPoints?: readonly { readonly asInt?: number; readonly asDouble?: number }[] };
}

/** A counter's name, and by how much it grew. */
export type CounterGrowth = readonly [name: string, growth: number];

/** Reads the counters of an OTLP `ExportMetricsServiceRequest`, as Envoy's stat sink sends them with deltas. */
export class EnvoyCounterReader {
  readonly #reader = new MessageReader(new Cursor());

  /** The counters in the bytes [from, to). Throws WireError. */
  read(bytes: Buffer, from: number, to: number): CounterGrowth[] {
    // The schema keeps the fields of this type and no others.
    const { resourceMetrics = [] } = this.#reader.read(bytes, [from, to], REQUEST) as Request;
    return resourceMetrics
      .flatMap(({ scopeMetrics = [] }) => scopeMetrics)
      .flatMap(({ metrics = [] }) => metrics)
      .flatMap(({ name = "", sum }) => (sum?.dataPoints ?? []).map(({ asInt, asDouble }) => [name, asInt ?? asDouble ?? 0] as const));
  }
}
