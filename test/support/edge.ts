import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { onTestFinished } from "vitest";
import { FORMAT, METRICS } from "../../src/contract/names.ts";
import { type Rollout, type RolloutInput, RolloutSchema } from "../../src/contract/rollout.ts";
import type { LiveRule, RuleSet } from "../../src/contract/rules.ts";
import { staticRulesOf } from "../../src/core/decide/rollout-rules.ts";
import { type RunningProcess, startProcess, whenReady } from "../../src/demo/processes.ts";
import { stopAll } from "../../src/demo/stop-all.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { patient } from "./edge-config.ts";
import { type RunningEnvoy, startEnvoy } from "./envoy.ts";

export interface EdgeOptions {
  /** `HOST:PORT` of the upstreams; the canary's may be none, or several. */
  readonly stable: string;
  readonly canary: string | readonly string[];
  readonly sidecars?: number;
  /** Share of the rollout `edge`, in basis points; 0 when absent, so that only the header `x-want: canary` leads there. */
  readonly shareBp?: number;
  /** More rollouts, without a share where neither `shares` nor `liveOf` says one. */
  readonly rollouts?: readonly Rollout[];
  /** Shares by name, in basis points. */
  readonly shares?: Readonly<Record<string, number>>;
  /** Share of those that `shares` does not name. */
  readonly rolloutsShareBp?: number;
  /** More than one share for a rollout. */
  readonly liveOf?: (rollout: Rollout) => LiveRule;
  readonly sidecarArgs?: readonly string[];
  /** Another text of the shipped configuration. */
  readonly change?: (shipped: string) => string;
  /** `shipped` where a test is about Envoy's patience with sidecars; else a slow machine costs no decision. */
  readonly timeouts?: "shipped";
}

/** A real Envoy with real sidecars whose rules come from a file: no controller and no NATS. */
export interface Edge {
  readonly envoy: RunningEnvoy;
  /** The rule set that the sidecars read. */
  readonly rulesPath: string;
  sidecar(index: number): RunningProcess;
  /** Starts a sidecar again in its old place; it serves when this resolves. */
  startSidecar(index: number): Promise<void>;
  /** Metrics of the running sidecars, summed: name and labels as in the text → value. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  waitForHealthy(count: number): Promise<unknown>;
  stop(): Promise<void>;
}

/** Any host is governed by the rollout `edge`; this one by one whose canary has a cluster that Envoy does not know. */
export const MISSING_HOST = "missing.example";

/** And this one by a rollout of its own, so that the request that marks the end of a count stands in no other. */
const MARKER = "marker";

const rollout = (name: string, canary: string, hosts: string[]): RolloutInput => ({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name,
  match: { hosts },
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "stable" }, canary: { cluster: canary } },
  targets: [{ name: "wanted", variant: "canary", when: { header: { name: "x-want", exact: "canary" } } }],
  strategy: { use: "fast" },
});

function ruleSet({ shareBp = 0, rollouts: others = [], shares = {}, rolloutsShareBp = 0, liveOf }: EdgeOptions): RuleSet {
  const live: LiveRule = { run: 1, shareBp, off: false, whenUnwatched: "stable" };
  const entry = (input: RolloutInput) => ({ rules: staticRulesOf(RolloutSchema.parse(input)), live });
  const liveOfOther = liveOf ?? ((other) => ({ ...live, shareBp: shares[other.name] ?? rolloutsShareBp }));
  const more = others.map((other) => [other.name, { rules: staticRulesOf(other), live: liveOfOther(other) }] as const);
  const rollouts = {
    edge: entry(rollout("edge", "canary", ["*"])),
    missing: entry(rollout("missing", "nowhere", [MISSING_HOST])),
    [MARKER]: entry(rollout(MARKER, "canary", [MARKER])),
    ...Object.fromEntries(more),
  };
  return { format: FORMAT, epoch: 0, revision: 1, rollouts };
}

/** Starts an edge that ends with the test, or with the file's tests when given their way to stop things. */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const directory = await mkdtemp(join(tmpdir(), "se-"));
  const stops: (() => unknown)[] = [() => rm(directory, { recursive: true, force: true })];
  try {
    const rules = join(directory, "rules.json");
    await writeFile(rules, JSON.stringify(ruleSet(options)));
    const sidecars = createSidecars(options, directory);
    stops.push(sidecars.stop);
    const indices = Array.from({ length: options.sidecars ?? 1 }, (_, index) => index);
    await Promise.all(indices.map(sidecars.start));
    const { stable, canary, timeouts } = options;
    const own = (shipped: string): string => options.change?.(shipped) ?? shipped;
    const change = timeouts === "shipped" ? own : (shipped: string): string => patient(own(shipped));
    const envoy = await startEnvoy({ stable, canary, sidecars: indices.map(sidecars.address), change });
    stops.push(envoy.stop);
    return {
      envoy,
      rulesPath: rules,
      sidecar: sidecars.find,
      startSidecar: sidecars.start,
      metrics: sidecars.metrics,
      waitForHealthy: (count) =>
        waitFor(async () => (await envoy.stat("cluster.serin.membership_healthy")) === count, {
          deadlineMs: 20_000,
          what: `Envoy to find ${count} sidecars healthy`,
        }),
      stop: () => stopAll(stops),
    };
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
}

/** An edge for one test. */
export async function startEdgeForTest(options: EdgeOptions): Promise<Edge> {
  const edge = await startEdge(options);
  onTestFinished(edge.stop);
  return edge;
}

const serinBin = (): string => join(packageRoot(), "dist", "bin", "serin.js");

function createSidecars({ sidecarArgs = [] }: EdgeOptions, directory: string) {
  const running = new Map<number, { process: RunningProcess; url: string }>();
  const address = (index: number): string => `unix:${join(directory, `s${index}.sock`)}`;
  const find = (index: number): RunningProcess => {
    const found = running.get(index);
    if (found === undefined) throw new Error(`sidecar ${index} was not started`);
    return found.process;
  };
  return {
    address,
    find,
    async start(index: number): Promise<void> {
      let said: string | undefined;
      const place = ["--id", `sidecar-${index}`, "--ext-proc", address(index), "--metrics", "127.0.0.1:0"];
      const started = await startProcess({
        name: `sidecar-${index}`,
        program: process.execPath,
        args: [serinBin(), "sidecar", ...place, "--rules", join(directory, "rules.json"), "--json", ...sidecarArgs],
        cwd: directory,
        onLine: (line, from) => {
          if (from === "stdout") said ??= line;
        },
      });
      const heard = waitFor(() => said, { deadlineMs: 15_000, what: `sidecar-${index} to say that it serves` });
      running.set(index, { process: started, url: String(JSON.parse(await whenReady(started, heard)).metrics) });
    },
    async metrics(): Promise<ReadonlyMap<string, number>> {
      const sums = new Map<string, number>();
      for (const { process: sidecar, url } of running.values()) {
        if (!sidecar.isRunning()) continue;
        for (const [, series = "", value] of (await (await fetch(`${url}/metrics`)).text()).matchAll(/^(serin_\S+(?: \S+)*?) (\S+)$/gm))
          sums.set(series, (sums.get(series) ?? 0) + Number(value));
      }
      return sums;
    },
    async stop(): Promise<void> {
      for (const { process: sidecar } of running.values()) sidecar.resume();
      await Promise.all([...running.values()].map(({ process: sidecar }) => sidecar.kill()));
    },
  };
}

/** What the sidecars counted, zeros left out: `canary failed`, `stable timed` (has a latency), `failed open`, … */
async function countsOf(edge: Pick<Edge, "metrics">): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const [series, value] of await edge.metrics()) {
    const name = countedAs(series);
    if (name !== undefined && value > 0) counts.set(name, (counts.get(name) ?? 0) + value);
  }
  return counts;
}

/** Requests that were decided and have not ended, as far as the sidecars know. */
export async function openOf(edge: Pick<Edge, "metrics">): Promise<number> {
  const all = [...(await edge.metrics())];
  const sum = (name: string): number =>
    all.filter(([series]) => series.startsWith(`${name}{`)).reduce((total, [, value]) => total + value, 0);
  return sum(METRICS.decisions) - sum(METRICS.settled);
}

function countedAs(series: string): string | undefined {
  const label = (name: string): string => new RegExp(`[{,]${name}="([^"]*)"`).exec(series)?.[1] ?? "";
  const [metric = ""] = series.split("{");
  const isMarker = label("rollout") === MARKER;
  switch (metric) {
    case METRICS.failedOpen:
      return "failed open";
    case METRICS.clusterMissing:
      return "cluster missing";
    case METRICS.surprises:
      return `surprise ${label("kind")}`;
    case METRICS.outcomes:
      return isMarker ? MARKER : `${label("variant")} ${label("class")}`;
    case `${METRICS.outcomeDuration}_count`:
      return isMarker ? undefined : `${label("variant")} timed`;
    default:
      return undefined;
  }
}

/** Waits until all requests that have ended are counted: entries of the access log arrive in the order of their ends. */
async function settle(edge: Pick<Edge, "metrics" | "envoy">): Promise<ReadonlyMap<string, number>> {
  const before = (await countsOf(edge)).get(MARKER) ?? 0;
  let sentMs = Number.NEGATIVE_INFINITY;
  const marked = async (): Promise<ReadonlyMap<string, number> | undefined> => {
    if (performance.now() - sentMs > 5_000) {
      sentMs = performance.now();
      const request = httpRequest({
        port: edge.envoy.port,
        host: "127.0.0.1",
        path: "/marker",
        headers: { host: MARKER },
        agent: false,
      }).end();
      (await once(request, "response"))[0].resume();
    }
    const counts = await countsOf(edge);
    return (counts.get(MARKER) ?? 0) > before ? counts : undefined;
  };
  return await waitFor(marked, { deadlineMs: 30_000, what: "the last request to be counted" });
}

/** What `act` adds to the counts, in which so many requests must end. */
export async function countedBy(
  edge: Pick<Edge, "metrics" | "envoy">,
  requests: number,
  act: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const before = await settle(edge);
  const since = (counts: ReadonlyMap<string, number>): Record<string, number> => {
    const entries = [...counts].map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const);
    return Object.fromEntries(entries.filter(([name, value]) => value !== 0 && name !== MARKER));
  };
  await act();
  await waitFor(async () => endedIn(since(await countsOf(edge))) >= requests, { deadlineMs: 30_000, what: `${requests} outcomes` });
  return since(await settle(edge));
}

const endedIn = (counts: Readonly<Record<string, number>>): number =>
  Object.entries(counts).reduce((sum, [name, value]) => (name.endsWith(" timed") ? sum : sum + value), 0);
