import type { Dataquery as AnyQuery, Builder } from "@grafana/grafana-foundation-sdk/cog";
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimelineBuilder } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as LinesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** The data source that the reader chose. */
export const DATA_SOURCE = { type: "prometheus", uid: "${datasource}" };

/** One query and what its lines are called, in Grafana's words like `{{variant}}`. */
export type Query = readonly [expr: string, legend: string];

/** What every panel says. */
export interface PanelFacts {
  readonly title: string;
  /** How to read it, and what to do about it. */
  readonly about: string;
  /** One of Grafana's units, like `percentunit`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Columns of 24; half of the width when absent. */
  readonly span?: number;
}

export type AnyPanel = Builder<dashboard.Panel>;

const LINES_HEIGHT = 8;
const FIGURE_HEIGHT = 4;
const TABLE_HEIGHT = 10;

const refId = (index: number): string => String.fromCharCode("A".charCodeAt(0) + index);

const query = ([expr, legend]: Query, index: number): DataqueryBuilder =>
  new DataqueryBuilder().datasource(DATA_SOURCE).expr(expr).legendFormat(legend).refId(refId(index));

const ranges = (queries: readonly Query[]): Builder<AnyQuery>[] => queries.map((one, index) => query(one, index).range());
const instants = (queries: readonly Query[]): DataqueryBuilder[] => queries.map((one, index) => query(one, index).instant());

/** Lines over time. */
export function lines({ title, about, unit, queries, span = 12 }: PanelFacts): LinesBuilder {
  return new LinesBuilder()
    .title(title)
    .description(about)
    .unit(unit)
    .datasource(DATA_SOURCE)
    .targets(ranges(queries))
    .span(span)
    .height(LINES_HEIGHT)
    .lineWidth(2)
    .fillOpacity(0)
    .showPoints(common.VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .placement(common.LegendPlacement.Bottom)
        .displayMode(common.LegendDisplayMode.List),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending));
}

/** A line by its name, dashed and red: the limit that the others are held against. */
export const asLimit = (panel: LinesBuilder, name: string): LinesBuilder =>
  panel.overrideByName(name, [
    { id: "color", value: { mode: "fixed", fixedColor: "red" } },
    { id: "custom.lineStyle", value: { fill: "dash", dash: [8, 6] } },
  ]);

/** The last value, large. */
export function figure({ title, about, unit, queries, span = 4 }: PanelFacts): StatBuilder {
  return new StatBuilder()
    .title(title)
    .description(about)
    .unit(unit)
    .datasource(DATA_SOURCE)
    .targets(instants(queries))
    .span(span)
    .height(FIGURE_HEIGHT)
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(common.BigValueColorMode.None)
    .noValue("-")
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]));
}

/** A word in place of a number: the name of the series that is there. */
export const word = (facts: Omit<PanelFacts, "unit">): StatBuilder =>
  figure({ ...facts, unit: "none" }).textMode(common.BigValueTextMode.Name);

/** Texts in place of numbers, with a colour each. */
export const texts = (of: Readonly<Record<number, readonly [text: string, color: string]>>): dashboard.ValueMapping[] => [
  {
    type: dashboard.MappingType.ValueToText,
    options: Object.fromEntries(Object.entries(of).map(([value, [text, color]], index) => [value, { text, color, index }])),
  },
];

/** States over time, one bar a series. */
export function timeline({ title, about, unit, queries, span = 12 }: PanelFacts, mappings: dashboard.ValueMapping[]): TimelineBuilder {
  return new TimelineBuilder()
    .title(title)
    .description(about)
    .unit(unit)
    .datasource(DATA_SOURCE)
    .targets(ranges(queries))
    .span(span)
    .height(LINES_HEIGHT)
    .mappings(mappings)
    .mergeValues(true)
    .showValue(common.VisibilityMode.Auto);
}

/** A table of the present: rows are joined by a label, and each query is a column. One without a legend shows its labels alone. */
export function table({ title, about, unit, queries, span = 24 }: PanelFacts, key: string): TableBuilder {
  const values = queries.map(([, name], index) => ({ column: `Value #${refId(index)}`, name }));
  const hidden = [
    ...["Time", ...queries.map((_, index) => `Time ${index + 1}`)],
    ...values.flatMap(({ column, name }) => (name === "" ? [column] : [])),
  ];
  return new TableBuilder()
    .title(title)
    .description(about)
    .unit(unit)
    .datasource(DATA_SOURCE)
    .targets(instants(queries).map((one) => one.format(PromQueryFormat.Table)))
    .span(span)
    .height(TABLE_HEIGHT)
    .withTransformation({ id: "joinByField", options: { byField: key, mode: "outer" } })
    .withTransformation({
      id: "organize",
      options: {
        excludeByName: Object.fromEntries(hidden.map((name) => [name, true])),
        renameByName: Object.fromEntries(values.map(({ column, name }) => [column, name])),
      },
    });
}
