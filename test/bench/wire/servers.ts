import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { z } from "zod";
import { type RunningProcess, startProcess, whenReady } from "../../../src/demo/processes.ts";
import { runCommand } from "../../../src/demo/run-command.ts";
import { waitFor } from "../../../src/demo/wait-for.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import type { Stops } from "./bench.ts";
import type { GoPrograms } from "./go-programs.ts";
import { node24 } from "./node24.ts";

/** A server that can be measured: a program and how to start it. */
export interface ServerKind {
  /** As it stands in tables, like `Serin, Node 20.20.2`. */
  readonly title: string;
  readonly program: string;
  readonly args: readonly string[];
}

/** A server that answers Envoy. */
export interface RunningServer {
  readonly title: string;
  /** `unix:PATH` of ext_proc, access logs and health. */
  readonly address: string;
  /** `http://host:port` of its metrics. */
  readonly metricsUrl: string;
  readonly process: RunningProcess;
}

const ReadySchema = z.looseObject({ metrics: z.string() });

/**
 * The server of a name: `go`, `go-typed` (answers made of go-control-plane's types), `node` (Serin on the Node that runs this), `node24`;
 * behind `@` may stand another build of Serin, like `node24@../other/dist/bin/serin.js`. Throws on any other name.
 */
export function serverKind(text: string, go: GoPrograms): Promise<ServerKind> {
  switch (text) {
    case "go":
      return Promise.resolve({ title: "Go twin", program: go.twin, args: [] });
    case "go-typed":
      return Promise.resolve({ title: "Go twin, typed answers", program: go.twin, args: ["--typed"] });
    default:
      return serinKind(text);
  }
}

/** Serin of such a name. Throws on any other, and when it is not built. */
export async function serinKind(text: string): Promise<ServerKind> {
  const [name, otherBuild] = text.split("@", 2);
  if (name !== "node" && name !== "node24") throw new Error(`--servers ${text}: there are go, go-typed, node and node24`);
  return serinOn(name === "node" ? process.execPath : await node24(), otherBuild);
}

async function serinOn(nodePath: string, otherBuild?: string): Promise<ServerKind> {
  const build = otherBuild ?? join(packageRoot(), "dist", "bin", "serin.js");
  if (!existsSync(build)) throw new Error(`${build} is missing; build it by: npm run build`);
  const { stdout } = await runCommand(nodePath, ["--version"], 10_000);
  const title = `Serin, Node ${stdout.trim().replace(/^v/, "")}`;
  return { title: otherBuild === undefined ? title : `${title}, ${otherBuild}`, program: nodePath, args: [build, "sidecar", "--json"] };
}

const READY_MS = 20_000;

/** Starts a server on a socket of its own, and waits for the line that it prints when it serves. */
export async function startServer(
  { title, program, args }: ServerKind,
  place: { readonly socketPath: string; readonly rulesPath: string },
  stops: Stops,
): Promise<RunningServer> {
  const address = `unix:${place.socketPath}`;
  let firstLine: string | undefined;
  const started = await startProcess({
    name: title,
    program,
    args: [...args, "--ext-proc", address, "--rules", place.rulesPath, "--metrics", "127.0.0.1:0"],
    env: plainEnvironment(),
    onLine: (line, from) => {
      if (from === "stdout") firstLine ??= line;
    },
  });
  stops.push(() => started.stop(5_000));
  const said = await whenReady(
    started,
    waitFor(() => firstLine, { deadlineMs: READY_MS, what: `${title} to serve` }),
  );
  return { title, address, metricsUrl: ReadySchema.parse(JSON.parse(said)).metrics, process: started };
}

/** Nothing that would make a server behave otherwise than in production, like options for Node. */
export function plainEnvironment(): Record<string, string> {
  return Object.fromEntries(
    ["PATH", "HOME", "TMPDIR"].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
