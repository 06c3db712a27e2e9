import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { z } from "zod";
import type { RuleSet } from "../../../src/contract/rules.ts";
import { type RunningEnvoy, startEnvoy } from "../../../src/demo/envoy.ts";
import { startProcess, whenReady } from "../../../src/demo/processes.ts";
import { findProgram, programCacheDir } from "../../../src/demo/programs.ts";
import { waitFor } from "../../../src/demo/wait-for.ts";
import { createLog } from "../../../src/io/log.ts";
import type { Stops } from "./bench.ts";
import { type EnvoyChange, type EnvoyConfigFile, writeChangedConfig } from "./envoy-config.ts";
import { buildGoPrograms, type GoPrograms } from "./go-programs.ts";
import { benchRules } from "./rule-set.ts";
import { type RunningServer, type ServerKind, startServer } from "./servers.ts";

/** What all benchmarks of the wire share: programs, rules and upstreams. */
export interface Stand {
  readonly go: GoPrograms;
  readonly ruleSet: RuleSet;
  /** The rules as a file for `--rules`. */
  readonly rulesPath: string;
  /** Short enough for sockets; removed at the end. */
  readonly directory: string;
  /** Versions of what every benchmark of the wire uses. */
  readonly versions: readonly string[];
  startEnvoy(server: RunningServer, change?: EnvoyChange | EnvoyConfigFile): Promise<RunningEnvoy>;
  startServer(kind: ServerKind): Promise<RunningServer>;
}

/** Builds and finds the programs, writes the rules and starts the upstreams. */
export async function createStand(stops: Stops): Promise<Stand> {
  const go = await buildGoPrograms();
  const log = createLog({ name: "bench", level: "warn" });
  const envoy = await findProgram("envoy", { env: process.env, cacheDir: programCacheDir(), log });
  const directory = await mkdtemp(join(tmpdir(), "serin-bench-"));
  stops.push(() => rm(directory, { recursive: true, force: true }));
  const rulesPath = join(directory, "rules.json");
  const ruleSet = benchRules();
  await writeFile(rulesPath, JSON.stringify(ruleSet));
  const upstreams = await startUpstreams(go, stops);
  let sockets = 0;
  return {
    go,
    ruleSet,
    rulesPath,
    directory,
    versions: [`Envoy ${envoy.version}`, go.version, go.grpcVersion],
    async startEnvoy(server, change) {
      const config = typeof change === "string" ? { configPath: await writeChangedConfig(change, directory) } : (change ?? {});
      const started = await startEnvoy({ program: envoy.path, sidecars: [server.address], ...upstreams, ...config });
      stops.push(() => started.stop());
      return started;
    },
    startServer(kind) {
      sockets += 1;
      return startServer(kind, { socketPath: join(directory, `${sockets}.sock`), rulesPath }, stops);
    },
  };
}

const UpstreamsSchema = z.object({ stable: z.string(), canary: z.string() });

async function startUpstreams(go: GoPrograms, stops: Stops): Promise<z.infer<typeof UpstreamsSchema>> {
  let firstLine: string | undefined;
  const upstream = await startProcess({
    name: "upstream",
    program: go.upstream,
    args: [],
    onLine: (line, from) => {
      if (from === "stdout") firstLine ??= line;
    },
  });
  stops.push(() => upstream.stop());
  const said = await whenReady(
    upstream,
    waitFor(() => firstLine, { deadlineMs: 10_000, what: "the upstreams to listen" }),
  );
  return UpstreamsSchema.parse(JSON.parse(said));
}
