import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { expect, inject, test as plain } from "vitest";
import { stringify } from "yaml";
import { runCommand } from "../../src/demo/run-command.ts";
import { startHttp } from "../../src/io/http.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { goldens, type Manifest, manifestsOf, workloadsOf } from "../support/manifests.ts";

const CHECK_MS = 30_000;
const manifests = goldens().flatMap(([, text]) => manifestsOf(text));

/** Entries of ConfigMaps by name: each configuration that is installed. */
const configured = (name: string): string[] => manifests.flatMap(({ data }: Manifest) => data[name] ?? []);

const test = plain.extend<{ folder: string }>({
  // oxlint-disable-next-line eslint/no-empty-pattern -- vitest reads the fixtures that are asked for from the pattern
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), "serin-manifests-"));
    await use(folder);
    await rm(folder, { recursive: true });
  },
});

test("nats-server accepts the configuration of the chart's and of the overlays' NATS", async ({ folder }) => {
  const texts = [...new Set(configured("nats.conf"))];
  expect(texts.length).toBe(2);
  for (const text of texts) {
    await writeFile(join(folder, "nats.conf"), text);
    const { code, stderr } = await runCommand(inject("natsServerProgram"), ["-t", "-c", join(folder, "nats.conf")], CHECK_MS);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("is valid") });
  }
});

test.each([
  { title: "ends well where both parts say that they are ready", path: "/readyz", code: 0 },
  { title: "fails where one is not", path: "/elsewhere", code: 1 },
])("the question that `helm test` asks $title", async ({ path, code }) => {
  const [, , script = ""] =
    workloadsOf(manifests)
      .flatMap(({ containers }) => containers)
      .find(({ name }) => name === "ready")?.command ?? [];
  const ports = { metrics: () => undefined, readiness: () => ({ isReady: true, body: {} }) };
  const server = await startHttp({ address: "127.0.0.1:0", what: "test", flag: "--http" }, ports);
  const result = await runCommand(process.execPath, ["--eval", script, `${server.url}/readyz`, `${server.url}${path}`], CHECK_MS);
  await server.stop();
  expect(result).toMatchObject({ code, stdout: expect.stringContaining(`${server.url}/readyz 200`) });
});

test("Envoy accepts the configuration of the plain overlay", async () => {
  const path = join(packageRoot(), "deploy", "kustomize", "overlays", "envoy", "envoy.yaml");
  expect(configured("envoy.yaml")).toEqual([await readFile(path, "utf8")]);
  const { code, stderr } = await runCommand(inject("envoyProgram"), ["--mode", "validate", "-c", path], CHECK_MS);
  expect({ code, stderr }).toMatchObject({ code: 0 });
});

test("Prometheus accepts the rules that the chart hands to its operator, as many as are shipped", async ({ folder }) => {
  const [rule] = manifests.filter(({ kind }) => kind === "PrometheusRule");
  const path = join(folder, "rules.yaml");
  await writeFile(path, stringify(rule?.spec));
  const { code, stdout } = await runCommand(inject("promtoolProgram"), ["check", "rules", path], CHECK_MS);
  const shipped = await Promise.all(
    ["alerts", "recording"].map((name) => readFile(join(packageRoot(), "deploy", "prometheus", `${name}.rules.yaml`), "utf8")),
  );
  const count = shipped.join("\n").match(/^ {6}- (alert|record):/gm)?.length;
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`SUCCESS: ${count} rules found`) });
  expect(stringify(rule?.spec)).toContain("https://runbooks.example/serin/docs/runbooks/");
});
