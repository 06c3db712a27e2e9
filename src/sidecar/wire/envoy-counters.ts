import { Cursor } from "./cursor.ts";
import { type Message, MessageReader } from "./fields.ts";

/** Numbers of fields of OTLP's metrics (opentelemetry-proto: metrics_service.proto, metrics.proto). */
const RESOURCE_METRICS = 1;
const SCOPE_METRICS = 2;
const METRICS = 2;
const METRIC = { name: 1, sum: 7 } as const;
const DATA_POINTS = 1;
const POINT = { asDouble: 4, asInt: 6 } as const;

/** Without a schema every field that is not taken is passed over. */
const ANYTHING: Message = [];

/** A counter's name, and by how much it grew. */
export type CounterGrowth = readonly [name: string, growth: number];

/** Reads the counters of an OTLP `ExportMetricsServiceRequest`, as Envoy's stat sink sends them with deltas. */
export class EnvoyCounterReader {
  readonly #cursor = new Cursor();
  readonly #reader = new MessageReader(this.#cursor);
  #name = "";
  #growth = 0;
  #whole: number | undefined;
  #double: number | undefined;
  #found: CounterGrowth[] = [];

  /** The counters in the bytes [from, to). Throws WireError. */
  read(bytes: Buffer, from: number, to: number): readonly CounterGrowth[] {
    this.#found = [];
    this.#cursor.reset(bytes, from, to);
    this.#reader.depth = 0;
    this.#reader.each(to, ANYTHING, (field) => this.#into(field === RESOURCE_METRICS, this.#onResource));
    return this.#found;
  }

  readonly #onResource = (field: number): boolean => this.#into(field === SCOPE_METRICS, this.#onScope);
  readonly #onSum = (field: number): boolean => {
    if (field !== DATA_POINTS) return false;
    this.#whole = undefined;
    this.#double = undefined;
    this.#into(true, this.#onPoint);
    this.#growth += this.#whole ?? this.#double ?? 0;
    return true;
  };

  readonly #onScope = (field: number): boolean => {
    if (field !== METRICS) return false;
    this.#name = "";
    this.#growth = 0;
    this.#into(true, this.#onMetric);
    this.#found.push([this.#name, this.#growth]);
    return true;
  };

  readonly #onMetric = (field: number): boolean => {
    if (field === METRIC.name) {
      this.#name = this.#cursor.string();
      return true;
    }
    // Of sums that come twice the last counts.
    if (field === METRIC.sum) this.#growth = 0;
    return this.#into(field === METRIC.sum, this.#onSum);
  };

  readonly #onPoint = (field: number): boolean => {
    if (field === POINT.asInt) this.#whole = this.#cursor.sfixed64();
    else if (field === POINT.asDouble) this.#double = this.#cursor.double();
    else return false;
    return true;
  };

  #into(isTaken: boolean, on: (field: number) => boolean): boolean {
    if (isTaken) this.#reader.each(this.#cursor.lengthEnd(), ANYTHING, on);
    return isTaken;
  }
}
