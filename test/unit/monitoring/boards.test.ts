import * as units from "@grafana/grafana-foundation-sdk/units";
import { describe, expect, test } from "vitest";
import { boards, panelsOf, queriesOf } from "../../support/boards.ts";

const DATA_SOURCE = { type: "prometheus", uid: "${datasource}" };
const UNITS = new Set(Object.values(units));

test("there are three dashboards, and each finds the others", () => {
  expect(boards.map(({ uid }) => uid)).toEqual(["serin-rollout", "serin-fleet", "serin-sidecar"]);
  const [first] = boards;
  for (const { tags, links } of boards) {
    expect(tags).toEqual(first?.tags);
    expect(links).toMatchObject([{ type: "dashboards", tags, keepTime: true, includeVars: true }]);
  }
});

test("links to a dashboard lead to one that is there, and hand on variables that it has", () => {
  const links = [...JSON.stringify(boards).matchAll(/\/d\/([\w-]+)\?([^"]*)/g)];
  expect(links.length).toBeGreaterThan(0);
  for (const [, uid, rest = ""] of links) {
    const target = boards.find((board) => board.uid === uid);
    const names = target?.templating.list.map(({ name }) => name) ?? [];
    expect(names).toEqual(expect.arrayContaining([...rest.matchAll(/var-(\w+)/g)].map(([, name]) => name)));
  }
});

describe.each(boards)("the dashboard $title", (board) => {
  const panels = panelsOf(board);

  test("says what it is for, and cannot be edited by mistake", () => {
    expect(board.description).not.toBe("");
    expect(board.editable).toBe(false);
  });

  test("lets its reader choose data source, job and instance, and looks again when the time changes", () => {
    const [source, ...others] = board.templating.list;
    expect(source).toMatchObject({ type: "datasource", name: "datasource", query: "prometheus" });
    expect(others.slice(0, 2).map(({ name }) => name)).toEqual(["job", "instance"]);
    for (const variable of others) expect(variable).toMatchObject({ type: "query", refresh: 2, datasource: DATA_SOURCE });
  });

  test("marks changes over all its panels", () => {
    expect(board.annotations.list.length).toBeGreaterThan(0);
    for (const { datasource } of board.annotations.list) expect(datasource).toEqual(DATA_SOURCE);
  });

  test.each(panels)("has title, description, unit, data source and queries in $title", ({ title, description = "", ...panel }) => {
    expect(title).not.toBe("");
    expect(description).toMatch(/\.$/);
    expect(UNITS).toContain(panel.fieldConfig?.defaults.unit);
    expect(panel.datasource).toEqual(DATA_SOURCE);
    expect(panel.targets?.length).toBeGreaterThan(0);
    for (const { datasource } of panel.targets ?? []) expect(datasource).toEqual(DATA_SOURCE);
    expect(new Set(panel.targets?.map(({ refId }) => refId)).size).toBe(panel.targets?.length);
  });

  test("has an id and a title for each panel, and a name for each query", () => {
    for (const names of [
      board.panels.map(({ id }) => String(id)),
      board.panels.map(({ title }) => title),
      queriesOf(board).map(({ where }) => where),
    ])
      expect(names).toEqual([...new Set(names)]);
  });

  test("has no panel on another, none over the edge, and no hole in a row", () => {
    const cells = board.panels.flatMap(({ title, gridPos: { x, y, w, h } }) => {
      expect([title, x + w <= 24]).toEqual([title, true]);
      return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
    expect(cells.length % 24).toBe(0);
  });
});
