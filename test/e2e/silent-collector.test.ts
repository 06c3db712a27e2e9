import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { startProcess } from "../../src/demo/processes.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { ruleOf, ruleSetOf } from "../support/decide-inputs.ts";
import { startOtlpCollector } from "../support/otlp-collector.ts";

/** Longer than the sidecar is given to end. */
const PATIENCE = "600000";

test("a sidecar that is told to end does so, though its collector never answers", async () => {
  const directory = await mkdtemp(join(tmpdir(), "serin-c-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const collector = await startOtlpCollector();
  onTestFinished(collector.stop);
  collector.fallSilent();
  const rules = join(directory, "rules.json");
  await writeFile(rules, JSON.stringify(ruleSetOf({ checkout: ruleOf() })));
  let said = "";
  const sidecar = await startProcess({
    name: "sidecar",
    program: process.execPath,
    args: [
      ...[join(packageRoot(), "dist", "bin", "serin.js"), "sidecar", "--ext-proc", `unix:${join(directory, "s.sock")}`],
      ...["--metrics", "127.0.0.1:0", "--rules", rules, "--drain", "0s"],
    ],
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_TIMEOUT: PATIENCE },
    onLine: (line) => {
      said += line;
    },
  });
  onTestFinished(async () => void (await sidecar.stop()));
  await waitFor(() => (said === "" ? undefined : true), { deadlineMs: 20_000, what: "the sidecar to serve" });
  expect(await sidecar.stop(60_000)).toEqual({ code: 0, signal: null });
  expect(collector.received.map(({ path }) => path)).toContain("/v1/metrics");
});
