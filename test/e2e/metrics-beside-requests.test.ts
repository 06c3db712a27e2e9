import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { RESOURCE } from "../../src/contract/evidence.ts";
import { METRICS, SUBJECTS } from "../../src/contract/names.ts";
import { startProcess } from "../../src/demo/processes.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { connectNats, ensureStreams, subscribeSafely } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { ruleOf, ruleSetOf } from "../support/decide-inputs.ts";
import { FAILED_OPEN_STAT, startEnvoy } from "../support/envoy.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { sendRawLoad, startRawUpstream } from "../support/raw-load.ts";
import { published } from "../support/rules-on-disk.ts";

const ROLLOUTS = 300;
const SIDECAR = "metrics-beside";
const nameOf = (index: number): string => `r${index % ROLLOUTS}`;

const rules = ruleSetOf(
  Object.fromEntries(
    Array.from({ length: ROLLOUTS }, (_, index) => {
      const rule = {
        match: { hosts: [`${nameOf(index)}.example`], paths: [{ prefix: "/" }] },
        key: [{ header: "x-user-id" }],
        salt: nameOf(index),
      };
      return [nameOf(index), ruleOf(rule, { shareBp: 3_000 })];
    }),
  ),
);

/** A sidecar that has these rules by NATS; what it told of its place in the sequence, message by message. */
async function startSidecar(): Promise<{ socket: string; metricsUrl: string; sequences: number[]; output(): string }> {
  const directory = await mkdtemp(join(tmpdir(), "serin-e2e-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const nats = await startNatsServer();
  onTestFinished(nats.stop);
  const link = await connectNats({ url: nats.url, name: "test", waitForServer: true });
  onTestFinished(() => link.close());
  await ensureStreams(link);
  const { manifest, contents } = published(rules);
  for (const [hash, text] of contents) await link.jetstream.publish(SUBJECTS.blob(hash), text);
  await link.jetstream.publish(SUBJECTS.manifest, manifest);
  const sequences: number[] = [];
  const sequence = new RegExp(`"${RESOURCE.sequence}","value":\\{"intValue":(\\d+)`);
  subscribeSafely(
    link,
    SUBJECTS.evidence(SIDECAR),
    ({ data }) => sequences.push(Number(sequence.exec(Buffer.from(data).toString("utf8"))?.[1])),
    (error) => process.stderr.write(`${String(error)}\n`),
  );
  let firstLine: string | undefined;
  const socket = join(directory, "s.sock");
  const started = await startProcess({
    name: "sidecar",
    program: process.execPath,
    args: [
      ...[join(packageRoot(), "dist", "bin", "serin.js"), "sidecar", "--id", SIDECAR, "--json"],
      ...["--ext-proc", `unix:${socket}`, "--metrics", "127.0.0.1:0", "--nats", nats.url],
    ],
    onLine: (line, from) => {
      if (from === "stdout") firstLine ??= line;
    },
  });
  onTestFinished(async () => void (await started.stop()));
  const said = JSON.parse(await waitFor(() => firstLine, { deadlineMs: 20_000, what: `the sidecar to serve: ${started.output()}` }));
  return { socket, metricsUrl: said.metrics, sequences, output: started.output };
}

test("scrapes and evidence of 300 rollouts with traffic let no request go on without an answer", async () => {
  const { socket, metricsUrl, sequences, output } = await startSidecar();
  const upstream = await startRawUpstream("stable");
  onTestFinished(() => upstream.stop());
  const envoy = await startEnvoy({ stable: upstream.address, canary: upstream.address, sidecars: [`unix:${socket}`] });
  onTestFinished(async () => void (await envoy.stop()));
  const scrape = async (): Promise<string> => (await fetch(`${metricsUrl}/metrics`)).text();
  await waitFor(async () => ((await scrape()).includes(`${METRICS.ruleRevision} ${rules.revision}`) ? true : undefined), {
    deadlineMs: 20_000,
    what: `the rules to be in force: ${output()}`,
  });
  const head = (index: number): string =>
    `GET /ok HTTP/1.1\r\nhost: ${nameOf(index)}.example\r\nx-user-id: u${Math.floor(index / ROLLOUTS)}`;
  const load = (requests: number) => sendRawLoad({ port: envoy.port, connections: 4, requests, head });
  // Every variant of every rollout gets its series.
  await load(6 * ROLLOUTS);
  const before = await envoy.stat(FAILED_OPEN_STAT);

  let isLoaded = false;
  let page = "";
  let scrapes = 0;
  const scraping = (async () => {
    while (!isLoaded) {
      // Two who ask at the same time cost no longer turns than one.
      [page = ""] = await Promise.all([scrape(), scrape()]);
      scrapes += 2;
      await delay(100);
    }
  })();
  const statuses = await load(20 * ROLLOUTS);
  isLoaded = true;
  await scraping;

  expect(statuses).toEqual(new Map([[200, 20 * ROLLOUTS]]));
  expect((await envoy.stat(FAILED_OPEN_STAT)) - before).toBe(0);
  expect(scrapes).toBeGreaterThanOrEqual(4);
  const told = new Set(
    Array.from(page.matchAll(new RegExp(`^${METRICS.decisions}\\{rollout="(r\\d+)",variant="canary"`, "gm")), ([, name]) => name),
  );
  expect(told.size).toBe(ROLLOUTS);
  expect(sequences.length).toBeGreaterThan(ROLLOUTS / 50);
  expect(sequences).toEqual(sequences.map((_, index) => index + 1));
});
