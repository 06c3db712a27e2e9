import type { Attributes } from "@opentelemetry/api";
import { METRICS } from "../contract/names.ts";
import type { Reading } from "./metric-data.ts";

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  [METRICS.streams]: "External processing streams begun, one per request.",
  [METRICS.streamResets]: "External processing streams that Envoy ended by a reset.",
  [METRICS.cookiesIssued]: "Cookies issued.",
  [METRICS.debugRequests]: "Requests that asked for an explanation.",
  [METRICS.responsesAsked]: "Responses whose headers Envoy was asked for.",
  [METRICS.responsesMissing]: "Those that never came.",
  [METRICS.surprises]: "Things that should not happen; where one met a request, it went to stable.",
  [METRICS.failedOpen]: "Requests that Envoy sent on without a decision.",
};

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
      Object.entries(DESCRIPTIONS).map(([name, description]) => ({
        name,
        description,
        kind: "counter",
        values: [...cells.values()].filter((cell) => cell.name === name).map(({ attributes, value }) => ({ attributes, value })),
      })),
  };
}
