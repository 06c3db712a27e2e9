import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FORMAT, METRICS } from "../../src/contract/names.ts";
import type { Rollout } from "../../src/contract/rollout.ts";
import type { RuleSet } from "../../src/contract/rules.ts";
import { bucketOf } from "../../src/core/decide/bucket.ts";
import { saltOf, staticRulesOf } from "../../src/core/decide/rollout-rules.ts";
import { type RunningEnvoy, startEnvoyWith } from "../../src/demo/envoy.ts";
import { stopAll } from "../../src/demo/stop-all.ts";
import { parseRollouts } from "../../src/io/documents.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type EchoUpstream, startEchoUpstream } from "./echo-upstream.ts";
import { startTestSidecar } from "./sidecar.ts";

/** Where the clusters of a mesh lead in a test: `HOST:PORT` or `unix:PATH` by the name of the cluster. */
export type Places = Readonly<Record<string, string>>;

/** A mesh whose files are put into one static configuration. */
export interface Mesh {
  readonly title: string;
  /** File of its rollout, below `deploy`. */
  readonly rollout: string;
  /** Host by which users ask. */
  readonly host: string;
  /** Envoy's configuration, with the variants' clusters at these places and the sidecar at that socket. */
  config(places: Places, socket: string): Promise<object>;
}

/** A real Envoy as a mesh configures it, with a sidecar and two upstreams. */
export interface MeshEdge {
  readonly envoy: RunningEnvoy;
  /** The variant that the rollout's share of 50 % gives to a user. */
  shareOf(user: string): string;
  /** What the sidecar counted: `VARIANT CLASS` → requests; `missing` for a cluster that did not answer as decided. */
  outcomes(): Promise<Readonly<Record<string, number>>>;
  stopSidecar(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts what a mesh's files describe, with the Envoy at that path. */
export async function startMeshEdge(mesh: Mesh, program: string): Promise<MeshEdge> {
  const directory = await mkdtemp(join(tmpdir(), "serin-mesh-"));
  const stops: (() => unknown)[] = [() => rm(directory, { recursive: true, force: true })];
  try {
    const [rollout] = parseRollouts(await readFile(join(packageRoot(), "deploy", mesh.rollout), "utf8"), mesh.rollout);
    if (rollout === undefined) throw new Error(`deploy/${mesh.rollout} holds no rollout`);
    const file = join(directory, "rules.json");
    await writeFile(file, JSON.stringify(halfOf(rollout)));
    const socket = join(directory, "serin.sock");
    const sidecar = await startTestSidecar({ source: { file }, extProc: `unix:${socket}` });
    stops.push(sidecar.stop);
    const places: Record<string, string> = {};
    for (const [name, { cluster = "" }] of Object.entries(rollout.variants)) {
      const upstream: EchoUpstream = await startEchoUpstream(name);
      stops.push(upstream.stop);
      places[cluster] = upstream.address;
    }
    const envoy = await startEnvoyWith(patient(JSON.stringify(await mesh.config(places, socket))), { program });
    stops.push(envoy.stop);
    return {
      envoy,
      shareOf: (user) => (bucketOf(saltOf(rollout), user) < 2 ** 31 ? "canary" : "stable"),
      outcomes: async () => outcomesIn(await sidecar.metrics()),
      stopSidecar: sidecar.stop,
      stop: () => stopAll(stops),
    };
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
}

/** A slow machine alone lets no request go undecided: decisions and health checks may take longer than the files say. */
function patient(config: string): string {
  const changed = config.replace(/"(message_?[tT]imeout)":"0\.10*s"/, '"$1":"10s"').replace(/"timeout":"0\.50*s"/, '"timeout":"10s"');
  if (changed.split('"10s"').length < config.split('"10s"').length + 2) throw new Error("the files set no messageTimeout or health check");
  return changed;
}

const halfOf = (rollout: Rollout): RuleSet => ({
  format: FORMAT,
  epoch: 0,
  revision: 1,
  rollouts: { [rollout.name]: { rules: staticRulesOf(rollout), live: { run: 1, shareBp: 5_000, off: false, whenUnwatched: "stable" } } },
});

function outcomesIn(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  const add = (name: string, count: number): void => {
    if (count > 0) counts[name] = (counts[name] ?? 0) + count;
  };
  for (const [, metric, labels = "", value] of text.matchAll(/^(serin_\w+)(?:\{(.*)\})? (\S+)$/gm)) {
    const label = (name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? "";
    if (metric === METRICS.outcomes) add(`${label("variant")} ${label("class")}`, Number(value));
    if (metric === METRICS.clusterMissing) add("missing", Number(value));
    if (metric === METRICS.failedOpen) add("failed open", Number(value));
  }
  return counts;
}
