import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { type AnyPanel, DATA_SOURCE } from "./panels.ts";
import type { Metric } from "./promql.ts";

/** What each selector of a dashboard says, so that several systems can share one Prometheus. */
export const HERE: readonly string[] = ['job=~"$job"', 'instance=~"$instance"'];

/** Uids of the dashboards, by which they find each other. */
export const UIDS = { rollout: "serin-rollout", fleet: "serin-fleet", sidecar: "serin-sidecar" } as const;

const TAG = "serin-mixin";

/** A heading and its panels. */
export interface Section {
  readonly title: string;
  readonly panels: readonly AnyPanel[];
}

export interface Board {
  readonly uid: string;
  readonly title: string;
  readonly about: string;
  /** A program that shows one of these is offered as a job and an instance. */
  readonly shownBy: readonly Metric[];
  /** Variables besides data source, job and instance. */
  readonly variables?: readonly dashboard.QueryVariableBuilder[];
  readonly annotations: readonly dashboard.AnnotationQueryBuilder[];
  readonly sections: readonly Section[];
}

/** A variable: the values that a label has among some series. */
export interface VariableFacts {
  readonly name: string;
  readonly label: string;
  readonly of: string;
  readonly about: string;
}

/** One whose reader chooses one value. */
export const oneOf = ({ name, label, of, about }: VariableFacts): dashboard.QueryVariableBuilder =>
  new dashboard.QueryVariableBuilder(name)
    .label(name.replaceAll("_", " "))
    .description(about)
    .datasource(DATA_SOURCE)
    .query(`label_values(${of}, ${label})`)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc);

/** One whose reader chooses any number; all to begin with. */
export const manyOf = (facts: VariableFacts): dashboard.QueryVariableBuilder =>
  oneOf(facts).multi(true).includeAll(true).allValue(".*").current({ text: "All", value: "$__all" });

/** Marks the moments at which an expression has a series that it had not before. */
export const marks = (
  name: string,
  expr: string,
  options: { readonly title: string; readonly color: string },
): dashboard.AnnotationQueryBuilder =>
  new dashboard.AnnotationQueryBuilder()
    .name(name)
    .datasource(DATA_SOURCE)
    .enable(true)
    .iconColor(options.color)
    .expr(expr)
    .titleFormat(options.title)
    .step("15s");

/** A dashboard as Grafana imports it. */
export function dashboardOf({ uid, title, about, shownBy, variables = [], annotations, sections }: Board): dashboard.Dashboard {
  const names = `__name__=~"${shownBy.join("|")}"`;
  const builder = new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(about)
    .tags([TAG])
    .readonly()
    .timezone("browser")
    .time({ from: "now-1h", to: "now" })
    .refresh("10s")
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .link(
      new dashboard.DashboardLinkBuilder("Serin").type(dashboard.DashboardLinkType.Dashboards).tags([TAG]).keepTime(true).includeVars(true),
    )
    .withVariable(new dashboard.DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"))
    .withVariable(manyOf({ name: "job", label: "job", of: `{${names}}`, about: "Scrape jobs of Serin's programs." }))
    .withVariable(manyOf({ name: "instance", label: "instance", of: `{${names},job=~"$job"}`, about: "Programs of those jobs." }));
  for (const variable of variables) builder.withVariable(variable);
  for (const annotation of annotations) builder.annotation(annotation);
  for (const section of sections) {
    builder.withRow(new dashboard.RowBuilder(section.title));
    for (const panel of section.panels) builder.withPanel(panel);
  }
  const built = builder.build();
  return { ...built, panels: (built.panels ?? []).map((panel, index) => ({ ...panel, id: index + 1 })) };
}
