import { type Metric, series } from "../../scripts/monitoring/promql.ts";

/** `[series, values]` in promtool's words: `0x9` is ten times 0, `0+60x9` grows by 60. */
export type Input = readonly [series: string, values: string];

/** What must fire, or must not, at a time of a history with a point each 15 s. */
export interface Case {
  readonly title: string;
  readonly alert: string;
  readonly input: readonly Input[];
  readonly at: string;
  /** Labels of each alert that fires then, beside its severity. */
  readonly fires: readonly Readonly<Record<string, string>>[];
}

/** A series and its values: a number stays for all of the history. */
export const of = (metric: Metric, value: string | number, ...labels: string[]): Input => [
  series(metric, labels),
  typeof value === "number" ? `${value}x99` : value,
];
