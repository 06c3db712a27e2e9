/** Time from the start of a sidecar until its health says SERVING, with rules on disk: `npm run bench:start`. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { startProcess, whenReady } from "../../../src/demo/processes.ts";
import { stopAll } from "../../../src/demo/stop-all.ts";
import { keepOnDisk } from "../../support/rules-on-disk.ts";
import { median, note, quantile, runBench, type Stops } from "./bench.ts";
import { askAll } from "./ext-proc-client.ts";
import { readFlags } from "./flags.ts";
import { firstServing } from "./health-client.ts";
import { inPairedRounds } from "./measure.ts";
import { printReport } from "./report.ts";
import { benchRules } from "./rule-set.ts";
import { plainEnvironment, type ServerKind, serinKind } from "./servers.ts";

/** Where the sidecar has its rules from. */
type Source = "--rules" | "--state-dir";

interface Subject {
  readonly kind: ServerKind;
  readonly source: Source;
}

const READY_MS = 20_000;

const flags = readFlags(process.argv.slice(2), { runs: "15", servers: "node,node24" });
const [runs, servers] = [flags.count("runs"), flags.list("servers")];

await runBench((900 + servers.length * 2 * runs * 30) * 1_000, async (stops) => {
  const deadNats = `nats://127.0.0.1:${await closedPort()}`;
  const subjects: Subject[] = [];
  for (const text of servers) {
    const kind = await serinKind(text);
    for (const source of ["--rules", "--state-dir"] as const) subjects.push({ kind, source });
  }
  const found = await inPairedRounds(subjects, runs, (subject, round) => startOnce(subject, { deadNats, round, stops }));
  printReport(
    {
      command: `npm run bench:start -- --runs ${runs} --servers ${servers.join()}`,
      versions: [`Node ${process.versions.node} asks`],
      columns: ["server · rules from", "median ms", "90 % ms", "slowest ms"],
      rows: [...found].map(([{ kind, source }, all]) => [
        `${kind.title} · ${source === "--rules" ? "--rules FILE" : "--state-dir, NATS away"}`,
        ...[median(all), quantile(all, 0.9), Math.max(...all)].map((ms) => ms.toFixed(0)),
      ]),
      remarks: [`From the start of the process to gRPC health SERVING, asked for every 2 ms; ${runs} starts each, 100 rollouts.`],
      details: [...found].map(([{ kind, source }, all]) => ({ title: kind.title, source, ms: all })),
    },
    flags.output,
  );
});

interface Surroundings {
  readonly deadNats: string;
  readonly round: number;
  readonly stops: Stops;
}

/** Starts a sidecar once and stops it; tells the milliseconds to SERVING. */
async function startOnce({ kind, source }: Subject, { deadNats, round, stops }: Surroundings): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "serin-start-"));
  const file = join(directory, "file.json");
  if (source === "--rules") await writeFile(file, JSON.stringify(benchRules()));
  else await keepOnDisk(directory, benchRules());
  const socketPath = join(directory, "s.sock");
  const rules = source === "--rules" ? ["--rules", file] : ["--state-dir", directory, "--nats", deadNats];
  const args = [...kind.args, "--ext-proc", `unix:${socketPath}`, "--metrics", "127.0.0.1:0", "--drain", "0ms", ...rules];
  const own: Stops = [() => rm(directory, { recursive: true, force: true })];
  const stopOwn = (): Promise<void> => stopAll(own);
  stops.push(stopOwn);
  try {
    const beginMs = performance.now();
    const started = await startProcess({ name: kind.title, program: kind.program, args, env: plainEnvironment() });
    own.push(() => started.stop());
    const ms = (await whenReady(started, firstServing(socketPath, READY_MS))) - beginMs;
    const [answer] = await askAll(`unix:${socketPath}`, [{ host: "service-0.example" }]);
    if (answer?.metadata["rollout"] !== "service-0") throw new Error(`${kind.title} is SERVING without the rules of ${source}`);
    note(`start ${round + 1}, ${kind.title} ${source}: ${ms.toFixed(0)} ms`);
    return ms;
  } finally {
    stops.splice(stops.indexOf(stopOwn), 1);
    await stopOwn();
  }
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
