import { METRICS } from "../../../src/contract/names.ts";
import type { RunningServer } from "./servers.ts";

/** What a server says that it has counted, over all rollouts. */
export interface Counts {
  readonly decisions: number;
  readonly outcomes: number;
}

/** Reads a server's metrics. */
export async function countsOf({ metricsUrl }: RunningServer): Promise<Counts> {
  const response = await fetch(`${metricsUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
  const lines = (await response.text()).split("\n");
  const sum = (metric: string): number =>
    lines.filter((line) => line.startsWith(`${metric}{`)).reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0);
  return { decisions: sum(METRICS.decisions), outcomes: sum(METRICS.outcomes) };
}
