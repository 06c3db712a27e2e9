import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { VERSION } from "../../src/contract/version.ts";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { chartDigest } from "../support/chart-digest.ts";
import { decodeManifests } from "../support/decode-manifests.ts";
import { goTool, HELM } from "../support/go.ts";
import { manifestsOf, patchSpec } from "../support/manifests.ts";

const chart = join(packageRoot(), "deploy", "helm", "serin");
const golden = join(packageRoot(), "test", "deploy", "golden");
const files = await readdir(join(chart, "ci"));
const COMMAND_MS = 60_000;

let helm: string;

beforeAll(async () => {
  helm = await goTool(HELM);
});

const run = (...args: string[]) => runCommand(helm, args, COMMAND_MS);
// What the tool itself believes to talk to depends on how it was built.
const template = (...args: string[]) => run("template", "serin", chart, "--namespace", "serin", "--kube-version", "1.34.0", ...args);

describe.each(files)("the chart with ci/%s", (file) => {
  const values = join(chart, "ci", file);
  const target = join(golden, "helm", file.replace("-values", ""));

  test("passes helm lint --strict", async () => {
    const { code, stdout } = await run("lint", "--strict", chart, "--values", values);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("0 chart(s) failed") });
  });

  test("renders what is committed", async () => {
    const { code, stdout, stderr } = await template("--values", values);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    await expect(stdout).toMatchFileSnapshot(target);
  });

  test("renders only objects that Kubernetes and the Prometheus operator know, field by field", async () => {
    const count = manifestsOf(await readFile(target, "utf8")).length;
    expect(await decodeManifests([target])).toEqual({ code: 0, stdout: `${count} decoded\n`, stderr: "" });
  });
});

test("its NATS is a dependency that is there in a checkout, and goes into the package", async () => {
  const { stdout: listed } = await run("dependency", "list", chart);
  expect(listed.split("\n")[1]?.split(/\s+/)).toEqual(["nats", VERSION, "unpacked"]);
  const folder = await mkdtemp(join(tmpdir(), "serin-chart-"));
  const packed = await run("package", chart, "--destination", folder);
  const bundled = ["--kube-version", "1.34.0", "--set", "nats.bundled.enabled=true", "--show-only", "templates/nats.yaml"];
  const { code, stdout } = await run("template", "serin", join(folder, `serin-${VERSION}.tgz`), ...bundled);
  await rm(folder, { recursive: true });
  expect([packed.code, code, manifestsOf(stdout).map(({ kind }) => kind)]).toEqual([
    0,
    0,
    ["NetworkPolicy", "ConfigMap", "Service", "StatefulSet"],
  ]);
});

test.each([
  ["an unknown group", "sidecars.replicas=3", "additional properties 'sidecars' not allowed"],
  ["an unknown value", "sidecar.replica=3", "additional properties 'replica' not allowed"],
  ["a value of the wrong form", "nats.url=nats:4222", "does not match pattern"],
  ["a password in the address of NATS", "nats.url=nats://serin:secret@nats:4222", "does not match pattern"],
  ["a value that is taken away", "sidecar.service.clusterIP=null", "missing property 'clusterIP'"],
])("refuses %s", async (_, setting, says) => {
  const { code, stderr } = await template("--set", setting);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(says) });
});

test.each([
  [
    "an authority for the certificate of the bundled NATS, which has none",
    "nats.ca.existingSecret=serin-ca",
    "nats.ca.existingSecret: with",
  ],
  ["replicas of what one server keeps", "nats.replicas=3", "nats.replicas: nats.bundled is one server"],
])("refuses %s", async (_, setting, says) => {
  const { code, stderr } = await template("--set", `nats.bundled.enabled=true,${setting}`);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(says) });
});

test("the patch for Envoy's own pods makes a Deployment that Kubernetes knows field by field", async () => {
  const rendered = manifestsOf(await readFile(join(golden, "helm", "native.yaml"), "utf8"));
  const patch = rendered.find(({ metadata }) => metadata.name === "serin-native-sidecar")?.data["patch.yaml"] ?? "";
  const folder = await mkdtemp(join(tmpdir(), "serin-chart-"));
  const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "envoy" }, spec: patchSpec(patch) };
  await writeFile(join(folder, "envoy.yaml"), stringify(deployment));
  const decoded = await decodeManifests([join(folder, "envoy.yaml")]);
  await rm(folder, { recursive: true });
  expect(decoded).toEqual({ code: 0, stdout: "1 decoded\n", stderr: "" });
});

test("the decoder refuses a field that Kubernetes does not know", async () => {
  const text = await readFile(join(golden, "helm", "full.yaml"), "utf8");
  const folder = await mkdtemp(join(tmpdir(), "serin-chart-"));
  await writeFile(join(folder, "bad.yaml"), text.replace("replicas:", "replica:").replace("interval:", "intervall:"));
  const { code, stderr } = await decodeManifests([join(folder, "bad.yaml")]);
  await rm(folder, { recursive: true });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/unknown field "spec.replica"[\s\S]*unknown field "spec.endpoints\[0\].intervall"/),
  });
});

test("the digest of the chart and the overlays is committed beside what they render", async () => {
  await expect(`${chartDigest()}\n`).toMatchFileSnapshot(join(golden, "chart.sha256"));
});
