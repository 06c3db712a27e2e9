import { Cursor } from "./cursor.ts";
import { type Message, MessageReader, type OnField } from "./fields.ts";

/** Numbers of fields of OTLP's metrics (opentelemetry-proto: metrics_service.proto, metrics.proto). */
const RESOURCE_METRICS = 1;
const SCOPE_METRICS = 2;
const METRICS = 2;
const METRIC = { name: 1, sum: 7, histogram: 9 } as const;
const DATA_POINTS = 1;
const TEMPORALITY = 2;
const POINT = { asDouble: 4, asInt: 6 } as const;
const HISTOGRAM_POINT = { sum: 5, bucketCounts: 6, explicitBounds: 7 } as const;
/** AGGREGATION_TEMPORALITY_DELTA. */
const DELTA = 1;
const PACKED = 2;

/** Without a schema every field that is not taken is passed over. */
const ANYTHING: Message = [];

/** A counter's name, and by how much it grew. */
export type CounterGrowth = readonly [name: string, growth: number];

/** How a histogram grew: `counts[i]` up to `bounds[i]`, the last beyond all of them. Not a delta where Envoy sends sums of all time. */
export interface HistogramGrowth {
  readonly name: string;
  readonly isDelta: boolean;
  readonly sum: number;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** What one message says. */
export interface EnvoyGrowth {
  readonly counters: readonly CounterGrowth[];
  readonly histograms: readonly HistogramGrowth[];
}

/** Reads counters and histograms of an OTLP `ExportMetricsServiceRequest`, as Envoy's stat sink sends them with deltas. */
export class EnvoyStatReader {
  readonly #cursor = new Cursor();
  readonly #reader = new MessageReader(this.#cursor);
  #name = "";
  #growth = 0;
  #whole: number | undefined;
  #double: number | undefined;
  #found: CounterGrowth[] = [];
  #temporality = 0;
  #points: { sum: number; bounds: number[]; counts: number[] }[] = [];
  #point = { sum: 0, bounds: new Array<number>(), counts: new Array<number>() };
  #histograms: HistogramGrowth[] = [];

  /** What the bytes [from, to) hold. Throws WireError. */
  read(bytes: Buffer, from: number, to: number): EnvoyGrowth {
    this.#found = [];
    this.#histograms = [];
    this.#cursor.reset(bytes, from, to);
    this.#reader.depth = 0;
    this.#reader.each(to, ANYTHING, (field) => this.#into(field === RESOURCE_METRICS, this.#onResource));
    return { counters: this.#found, histograms: this.#histograms };
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
    this.#points = [];
    this.#temporality = 0;
    this.#into(true, this.#onMetric);
    this.#found.push([this.#name, this.#growth]);
    for (const point of this.#points) this.#histograms.push({ name: this.#name, isDelta: this.#temporality === DELTA, ...point });
    return true;
  };

  readonly #onMetric = (field: number): boolean => {
    if (field === METRIC.name) {
      this.#name = this.#cursor.string();
      return true;
    }
    // Of sums that come twice the last counts, and so of histograms.
    if (field === METRIC.histogram) {
      this.#points = [];
      this.#temporality = 0;
      return this.#into(true, this.#onHistogram);
    }
    if (field === METRIC.sum) this.#growth = 0;
    return this.#into(field === METRIC.sum, this.#onSum);
  };

  readonly #onHistogram = (field: number): boolean => {
    if (field === TEMPORALITY) {
      this.#temporality = this.#cursor.uint32();
      return true;
    }
    if (field !== DATA_POINTS) return false;
    this.#point = { sum: 0, bounds: [], counts: [] };
    this.#into(true, this.#onHistogramPoint);
    this.#points.push(this.#point);
    return true;
  };

  readonly #onHistogramPoint = (field: number, wireType: number): boolean => {
    if (field === HISTOGRAM_POINT.sum) this.#point.sum = this.#cursor.double();
    else if (field === HISTOGRAM_POINT.bucketCounts) this.#numbers(wireType, this.#point.counts, () => this.#cursor.sfixed64());
    else if (field === HISTOGRAM_POINT.explicitBounds) this.#numbers(wireType, this.#point.bounds, () => this.#cursor.double());
    else return false;
    return true;
  };

  /** Numbers in a row, or one by one. */
  #numbers(wireType: number, into: number[], read: () => number): void {
    if (wireType !== PACKED) {
      into.push(read());
      return;
    }
    const end = this.#cursor.lengthEnd();
    const outerEnd = this.#reader.enter(end);
    while (this.#cursor.at < end) into.push(read());
    this.#reader.leave(end, outerEnd);
  }

  readonly #onPoint = (field: number): boolean => {
    if (field === POINT.asInt) this.#whole = this.#cursor.sfixed64();
    else if (field === POINT.asDouble) this.#double = this.#cursor.double();
    else return false;
    return true;
  };

  #into(isTaken: boolean, on: OnField): boolean {
    if (isTaken) this.#reader.each(this.#cursor.lengthEnd(), ANYTHING, on);
    return isTaken;
  }
}
