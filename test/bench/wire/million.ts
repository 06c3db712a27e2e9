/** Very many requests at full speed, with an Envoy that closes streams and one that resets them: `npm run bench:million`. Linux only. */
import process from "node:process";
import { FAILED_OPEN_STAT, type RunningEnvoy } from "../../../src/demo/envoy.ts";
import { note, runBench, type Stops } from "./bench.ts";
import type { EnvoyChange } from "./envoy-config.ts";
import { readFlags } from "./flags.ts";
import { type LoadResult, misrouted, runLoad } from "./load.ts";
import { printReport } from "./report.ts";
import { type ServerKind, serverKind } from "./servers.ts";
import { createStand, type Stand } from "./stand.ts";

const CONNECTIONS = 64;
/** A machine that does not even come to this is of no use for the benchmark. */
const LEAST_PER_S = 250;
const START_S = 60;

const EXT_PROC = "http.ingress.ext_proc";
const SIDECARS = "cluster.serin";

/** What Envoy counted, by the names of the columns. */
const STATS: Readonly<Record<string, string>> = {
  "streams failed": `${EXT_PROC}.streams_failed`,
  "failed open": FAILED_OPEN_STAT,
  "timed out": `${EXT_PROC}.message_timeouts`,
  "resets by Envoy": `${SIDECARS}.upstream_rq_tx_reset`,
  "resets by sidecar": `${SIDECARS}.upstream_rq_rx_reset`,
  retries: `${SIDECARS}.upstream_rq_retry`,
  connections: `${SIDECARS}.upstream_cx_total`,
};

/** One run: what the users saw, and what Envoy counted. */
interface Case {
  readonly title: string;
  readonly load: LoadResult;
  readonly stats: Readonly<Record<string, number>>;
}

const ENDINGS: Readonly<Record<string, EnvoyChange | undefined>> = { close: undefined, reset: "with resets" };

const flags = readFlags(process.argv.slice(2), { requests: "1000000", servers: "node,node24", endings: "close,reset" });
const [requests, servers, endings] = [flags.count("requests"), flags.list("servers"), flags.list("endings")];
for (const ending of endings) if (!Object.hasOwn(ENDINGS, ending)) throw new Error(`--endings ${ending}: there are close and reset`);
const seconds = START_S + Math.ceil(requests / LEAST_PER_S);

await runBench((900 + servers.length * endings.length * (seconds + 2 * START_S)) * 1_000, async (stops) => {
  const stand = await createStand(stops);
  const cases: Case[] = [];
  for (const ending of endings) {
    for (const text of servers) {
      const found = await runCase(await serverKind(text, stand.go), ending, { stand, stops });
      note(`${found.title}: ${found.load.requests} requests, ${found.load.requestsPerS.toFixed(0)} a second`);
      cases.push(found);
    }
  }
  printReport(
    {
      command: `npm run bench:million -- --requests ${requests} --servers ${servers.join()} --endings ${endings.join()}`,
      versions: stand.versions,
      columns: ["Envoy ends streams by · server", "requests", "requests/s", "failed", "misrouted", ...Object.keys(STATS)],
      rows: cases.map(({ title, load, stats }) => [
        title,
        ...[load.requests, Math.round(load.requestsPerS), load.failed, misrouted(load), ...Object.values(stats)].map(String),
      ]),
      remarks: [
        `${CONNECTIONS} connections. Failed: answers other than 2xx, and connections that broke. Misrouted: another variant than the rules say.`,
        "Resets, retries and connections are those of Envoy towards the sidecar.",
      ],
      details: cases,
    },
    flags.output,
  );
  const faults = cases.flatMap(faultsOf);
  if (faults.length > 0) throw new Error(`not what is promised: ${faults.join("; ")}`);
});

/** What must be 0, in each way of ending streams, and is not; and requests that were not sent in time. */
function faultsOf({ title, load, stats }: Case): string[] {
  const none = {
    failed: load.failed,
    misrouted: misrouted(load),
    "streams failed": stats["streams failed"],
    "failed open": stats["failed open"],
    "not sent": requests - load.requests,
  };
  return Object.entries(none).flatMap(([name, count]) => (count === 0 ? [] : [`${title}: ${name} ${count}`]));
}

async function runCase(kind: ServerKind, ending: string, { stand, stops }: { stand: Stand; stops: Stops }): Promise<Case> {
  const server = await stand.startServer(kind);
  const envoy = await stand.startEnvoy(server, ENDINGS[ending]);
  const place = { port: envoy.port, rulesPath: stand.rulesPath };
  const load = await runLoad(stand.go, { ...place, connections: CONNECTIONS, seconds, requests }, stops);
  const stats = await readStats(envoy);
  // One case at a time has the machine.
  await envoy.stop();
  await server.process.stop();
  return { title: `${ending} · ${kind.title}`, load, stats };
}

async function readStats(envoy: RunningEnvoy): Promise<Record<string, number>> {
  const all = await envoy.stats();
  return Object.fromEntries(Object.entries(STATS).map(([column, name]) => [column, all.get(name) ?? 0]));
}
