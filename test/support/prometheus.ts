import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { stringify } from "yaml";
import { type RunningProcess, startProcess, whenReady } from "../../src/demo/processes.ts";
import { waitFor } from "../../src/demo/wait-for.ts";

interface PrometheusOptions {
  /** What is scraped, as URLs like `http://127.0.0.1:9464`; see `setTargets`. */
  readonly targets?: readonly string[];
  /** In Prometheus' own words; `1s` when absent. Rules are evaluated as often. */
  readonly scrapeEvery?: string;
  /** Paths of rule files. */
  readonly rules?: readonly string[];
}

/** A real Prometheus with a store of its own, on a loopback port that the system chose. */
export interface Prometheus {
  readonly url: string;
  /** Scrapes these instead, from about a second later on; at `/metrics` where a URL has no path of its own. */
  setTargets(urls: readonly string[]): Promise<void>;
  /** Stops it in its tracks until `resume`: connections stay open and nobody answers. */
  freeze(): void;
  resume(): void;
  /** Stops it and removes its store. Safe to call twice. */
  stop(): Promise<void>;
}

const READY_MS = 20_000;

/** Starts Prometheus and waits until it answers. */
export async function startPrometheus({ targets = [], scrapeEvery = "1s", rules = [] }: PrometheusOptions = {}): Promise<Prometheus> {
  const directory = await mkdtemp(join(tmpdir(), "serin-prometheus-"));
  const setTargets = (urls: readonly string[]): Promise<void> => writeTargets(directory, urls);
  try {
    await setTargets(targets);
    await writeFile(join(directory, "prometheus.yml"), configOf(directory, scrapeEvery, rules));
    const { server, url } = await launch(directory);
    return {
      url,
      setTargets,
      freeze: () => server.freeze(),
      resume: () => server.resume(),
      async stop() {
        server.resume();
        await server.stop();
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

const configOf = (directory: string, scrapeEvery: string, rules: readonly string[]): string =>
  stringify({
    global: { scrape_interval: scrapeEvery, scrape_timeout: scrapeEvery, evaluation_interval: scrapeEvery },
    rule_files: rules,
    scrape_configs: [{ job_name: "serin", file_sd_configs: [{ files: [join(directory, "targets.json")], refresh_interval: "1s" }] }],
  });

/** Replaced in one step: Prometheus reads the file whenever it changes. */
async function writeTargets(directory: string, urls: readonly string[]): Promise<void> {
  const fresh = join(directory, "targets.fresh");
  await writeFile(fresh, JSON.stringify(urls.map(targetOf)));
  await rename(fresh, join(directory, "targets.json"));
}

function targetOf(url: string): object {
  const { host, pathname } = new URL(url);
  return { targets: [host], labels: { __metrics_path__: pathname === "/" ? "/metrics" : pathname } };
}

async function launch(directory: string): Promise<{ server: RunningProcess; url: string }> {
  let url: string | undefined;
  const server = await startProcess({
    name: "prometheus",
    program: inject("prometheusProgram"),
    args: [
      `--config.file=${join(directory, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      "--web.listen-address=127.0.0.1:0",
    ],
    onLine: (line) => {
      const address = /msg="Listening on".* address=(\S+)/.exec(line)?.[1];
      if (address !== undefined) url = `http://${address}`;
    },
  });
  const ready = waitFor(async () => (url !== undefined && (await isReady(url)) ? url : undefined), {
    deadlineMs: READY_MS,
    what: "Prometheus to be ready",
  });
  return { server, url: await whenReady(server, ready) };
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
