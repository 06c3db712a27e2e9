import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { composeFiles } from "../../../scripts/compose-files.ts";
import { VERSION } from "../../../src/contract/version.ts";
import { parseRollouts } from "../../../src/io/documents.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { composeFolder, mountsOf, readCompose } from "../../support/compose.ts";

const root = packageRoot();
const { services, volumes } = readCompose();
const list = Object.entries(services);
const textOf = (...path: string[]): string => readFileSync(join(root, ...path), "utf8");

test.each(Object.entries(composeFiles()))("%s is what its source says; `npm run docs` makes it", (path, text) => {
  expect(textOf(path)).toBe(text);
  expect(text.split("\n").filter((line) => /^[^#]*(127\.0\.0\.1|run\/serin)/.test(line))).toEqual([]);
});

describe.each(list)("the service %s", (_name, service) => {
  test("has an image of an exact version; Serin's own is built at this one", () => {
    expect(service.image).toMatch(/^[a-z/]+:v?\d+\.\d+\.\d+(-alpine)?$/);
    expect(service.image === `serin:${VERSION}`).toBe(service.build !== undefined);
    expect([undefined, root]).toContain(service.build === undefined ? undefined : join(composeFolder(), service.build.context));
  });

  test("mounts what is there, read-only, or a volume that is declared", () => {
    for (const { host, isReadOnly } of mountsOf(service)) expect(host === undefined || (existsSync(host) && isReadOnly)).toBe(true);
    const named = service.volumes.filter((volume) => !volume.startsWith(".")).map((volume) => volume.split(":", 1)[0]);
    expect(Object.keys(volumes)).toEqual(expect.arrayContaining(named));
  });

  test("opens ports to this machine alone", () => {
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\d+$/);
  });

  test("waits for services that there are, and for the health of those that tell it", () => {
    for (const [other, { condition }] of Object.entries(service.depends_on)) {
      const tells = services[other]?.build !== undefined || services[other]?.healthcheck?.test !== undefined;
      expect([other, tells, condition]).toEqual([other, true, expect.stringMatching(/^service_(healthy|started)$/)]);
    }
  });
});

test("what runs of Serin's image has a read-only root, no capabilities and no way to more of them", () => {
  const own = list.filter(([, { build }]) => build !== undefined);
  expect(own.length).toBeGreaterThan(4);
  for (const [, service] of own)
    expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
});

test("no two services open one port", () => {
  const ports = list.flatMap(([, service]) => service.ports.map((port) => port.split(":")[1]));
  expect(ports).toEqual([...new Set(ports)]);
});

test("Grafana finds its data source by the type that dashboards ask for, and dashboards where its provider looks", () => {
  const { datasources } = parse(textOf("deploy", "compose", "datasources.yaml"));
  const { providers } = parse(textOf("deploy", "grafana", "provisioning", "dashboards", "serin.yaml"));
  const mounts = list.filter(([name]) => name === "grafana").flatMap(([, service]) => mountsOf(service));
  const places = Object.fromEntries(mounts.map(({ container, host = "" }) => [container, host]));
  expect(places[providers[0].options.path]).toBe(join(root, "deploy", "grafana", "dashboards"));
  expect(places["/etc/grafana/provisioning/datasources/serin.yaml"]).toBe(join(composeFolder(), "datasources.yaml"));
  const home = services["grafana"]?.environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] ?? "";
  const board = JSON.parse(textOf(home.replace(providers[0].options.path, "deploy/grafana/dashboards")));
  const asked = board.templating.list.find(({ type }: { type: string }) => type === "datasource");
  expect(datasources).toMatchObject([{ type: asked.query, url: "http://prometheus:9090" }]);
});

test("the rollouts beside it are ones that can be applied", () => {
  const rollouts = parseRollouts(textOf("deploy", "compose", "rollouts", "shop.yaml"), "shop.yaml");
  expect(rollouts.map(({ name }) => name)).toEqual(["shop"]);
});

test("the page names every port, file and command of it as it is", () => {
  const page = textOf("docs", "compose.md");
  for (const port of list.flatMap(([, { ports }]) => ports)) expect(page).toContain(`http://127.0.0.1:${port.split(":")[1]}`);
  const commands = page.match(/docker compose .*/g) ?? [];
  expect(commands.length).toBeGreaterThan(6);
  const named = commands.flatMap(
    (command) => /compose (?:up --detach|run --rm|logs|stop) (?:--\S+ )*([a-z][\w-]*)/.exec(command)?.[1] ?? [],
  );
  expect(named.length).toBeGreaterThan(4);
  expect(named.filter((name) => services[name] === undefined)).toEqual([]);
  for (const [path] of page.matchAll(/deploy\/[\w./-]+\w/g)) expect([path, existsSync(join(root, path))]).toEqual([path, true]);
});
