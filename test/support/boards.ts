import { z } from "zod";
import { BOARDS } from "../../scripts/monitoring/files.ts";

const TargetSchema = z.looseObject({
  expr: z.string(),
  legendFormat: z.string(),
  refId: z.string(),
  instant: z.boolean().optional(),
  datasource: z.unknown().optional(),
});

const PanelSchema = z.looseObject({
  id: z.int(),
  type: z.string(),
  title: z.string(),
  description: z.string().optional(),
  datasource: z.unknown().optional(),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  fieldConfig: z.looseObject({ defaults: z.looseObject({ unit: z.string().optional() }) }).optional(),
  targets: z.array(TargetSchema).optional(),
});

const VariableSchema = z.looseObject({
  type: z.string(),
  name: z.string(),
  label: z.string(),
  query: z.string(),
  refresh: z.int().optional(),
  datasource: z.unknown().optional(),
});

const BoardSchema = z.looseObject({
  uid: z.string(),
  title: z.string(),
  description: z.string(),
  editable: z.boolean(),
  tags: z.array(z.string()),
  links: z.array(z.looseObject({ type: z.string(), tags: z.array(z.string()) })),
  templating: z.object({ list: z.array(VariableSchema) }),
  annotations: z.object({
    list: z.array(z.looseObject({ name: z.string(), expr: z.string(), titleFormat: z.string(), datasource: z.unknown().optional() })),
  }),
  panels: z.array(PanelSchema),
});

type Board = z.infer<typeof BoardSchema>;

/** Dashboards as Grafana reads them. */
export const boards: readonly Board[] = Object.values(BOARDS).map((board) => BoardSchema.parse(JSON.parse(JSON.stringify(board))));

/** Panels that ask something, so no headings. */
export const panelsOf = ({ panels }: Board): Board["panels"] => panels.filter(({ type }) => type !== "row");

/** A query of a dashboard. */
export interface BoardQuery {
  /** `dashboard / panel / line`, in a reader's words. */
  readonly where: string;
  readonly expr: string;
  /** What its lines are called. */
  readonly legend: string;
  readonly isInstant: boolean;
}

const seriesOf = (query: string): string => /^label_values\((.*), \w+\)$/.exec(query)?.[1] ?? query;

/** Every query of a dashboard: of panels, annotations and variables. */
export function queriesOf(board: Board): BoardQuery[] {
  const of = (title: string, line: string): string => `${board.uid} / ${title} / ${line}`;
  const ofPanels = panelsOf(board).flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat: legend, refId, instant }) => ({
      where: of(title, legend === "" ? refId : legend),
      expr,
      legend,
      isInstant: instant === true,
    })),
  );
  const ofAnnotations = board.annotations.list.map(({ name, expr, titleFormat: legend }) => ({
    where: of("annotation", name),
    expr,
    legend,
    isInstant: false,
  }));
  const ofVariables = board.templating.list
    .filter(({ type }) => type === "query")
    .map(({ name, query }) => ({ where: of("variable", name), expr: seriesOf(query), legend: "", isInstant: true }));
  return [...ofPanels, ...ofAnnotations, ...ofVariables];
}

/** A query as Grafana would send it, with everything chosen that can be. */
export function filledIn(expr: string, { rollout, range }: Readonly<{ rollout: string; range: string }>): string {
  return expr
    .replaceAll("$__rate_interval", range)
    .replaceAll("$__range", range)
    .replaceAll("$rollout", rollout)
    .replaceAll(/\$\w+/g, ".*");
}
