import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { FORMAT } from "../../../src/contract/names.ts";
import { startUpstream } from "../../../src/demo/upstreams.ts";
import { waitFor } from "../../../src/demo/wait-for.ts";
import { FAILED_OPEN_STAT, LOGS_STAT, startEnvoy } from "../../support/envoy.ts";
import { startTestSidecar } from "../../support/sidecar.ts";

/** Value of a metric without labels; undefined when it is absent. */
const valueOf = (text: string, name: string): number | undefined => {
  const line = text.split("\n").find((each) => each.startsWith(`${name} `) || each.startsWith(`${name}{`));
  return line === undefined ? undefined : Number(line.split(" ")[1]);
};

test("Envoy's own counts of requests that failed open and of access log entries arrive in the sidecar's metrics", async () => {
  const directory = await mkdtemp(join(tmpdir(), "serin-es-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "rules.json");
  await writeFile(file, JSON.stringify({ format: FORMAT, epoch: 1, revision: 1, rollouts: {} }));
  const [stable, canary] = await Promise.all([startUpstream("stable"), startUpstream("canary")]);
  onTestFinished(async () => void (await Promise.all([stable.stop(), canary.stop()])));
  const socket = join(directory, "s.sock");
  // The sidecar is not there yet: these requests fail open, and their log entries find nobody.
  const envoy = await startEnvoy({
    stable: stable.address,
    canary: canary.address,
    sidecars: [`unix:${socket}`],
  });
  onTestFinished(async () => void (await envoy.stop()));
  for (let count = 0; count < 3; count += 1) await (await fetch(envoy.url)).text();

  const sidecar = await startTestSidecar({ source: { file }, extProc: `unix:${socket}` });
  onTestFinished(() => sidecar.stop());
  const told = await waitFor(
    async () => {
      await (await fetch(envoy.url)).text();
      const text = await sidecar.metrics();
      const written = valueOf(text, "serin_envoy_logs_written_total") ?? 0;
      return written > 0 ? text : undefined;
    },
    { deadlineMs: 25_000, what: "Envoy's counters to arrive" },
  );
  // What Envoy counted up to a flush that found no sidecar is lost; nothing is ever counted twice.
  for (const [metric, stat] of [
    ["serin_envoy_logs_written_total", `${LOGS_STAT}.logs_written`],
    ["serin_envoy_logs_dropped_total", `${LOGS_STAT}.logs_dropped`],
    ["serin_envoy_failed_open_total", FAILED_OPEN_STAT],
  ] as const) {
    expect(valueOf(told, metric)).toBeLessThanOrEqual(await envoy.stat(stat));
  }
});
