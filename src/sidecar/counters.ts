import type { Attributes } from "@opentelemetry/api";
import { METRICS } from "../contract/names.ts";
import type { Reading } from "../io/metric-points.ts";

const NAMES = [
  METRICS.streams,
  METRICS.streamResets,
  METRICS.cookiesIssued,
  METRICS.debugRequests,
  METRICS.responsesAsked,
  METRICS.responsesMissing,
  METRICS.surprises,
  METRICS.failedOpen,
] as const;

/** Plain counters of the sidecar itself, few and bounded by the code that names them. */
export interface Counters {
  /** Adds one, and tells the new value. */
  add(name: string, attributes: Attributes): number;
  /** The counter itself, for what is counted with each request. */
  cell(name: string, attributes: Attributes): { value: number };
  readings(): Reading[];
}

export function createCounters(): Counters {
  const cells = new Map<string, { name: string; attributes: Attributes; value: number }>();
  const cellOf = (name: string, attributes: Attributes): { value: number } => {
    const key = `${name} ${JSON.stringify(attributes)}`;
    const cell = cells.get(key) ?? { name, attributes, value: 0 };
    cells.set(key, cell);
    return cell;
  };
  // What has never happened must read 0, not be absent.
  for (const name of [METRICS.streams, METRICS.streamResets, METRICS.failedOpen, METRICS.responsesAsked, METRICS.responsesMissing])
    cellOf(name, {});
  return {
    cell: cellOf,
    add: (name, attributes) => (cellOf(name, attributes).value += 1),
    readings: () =>
      NAMES.map((name) => ({
        name,
        values: [...cells.values()].filter((cell) => cell.name === name).map(({ attributes, value }) => ({ attributes, value })),
      })),
  };
}
