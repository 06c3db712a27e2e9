/** What outcomes cost on top of decisions: the same load with and without entries of Envoy's log: `npm run bench:outcomes`. Linux only. */
import process from "node:process";
import { median, note, runBench } from "./bench.ts";
import { createCpuClock } from "./cpu.ts";
import { readFlags } from "./flags.ts";
import { LOG_HEADER, writeLoggersConfig } from "./loggers.ts";
import { type Gauge, inPairedRounds, type Measurement, measure, type Subject } from "./measure.ts";
import { printReport } from "./report.ts";
import { serverKind } from "./servers.ts";
import { createStand } from "./stand.ts";

const CONNECTIONS = 64;
const WARM_UP_S = 3;
const PER_RUN_GRACE_S = 30;
/** What the others are compared with. */
const NONE = "none";

const flags = readFlags(process.argv.slice(2), { rounds: "30", seconds: "2", servers: "node,node24", logs: "lines,als,file,fluentd" });
const [rounds, seconds, servers, logs] = [flags.count("rounds"), flags.count("seconds"), flags.list("servers"), flags.list("logs")];
const kinds = [NONE, ...logs];
const limitS = 900 + servers.length * (rounds + 1) * kinds.length * (seconds + PER_RUN_GRACE_S);

await runBench(limitS * 1_000, async (stops) => {
  const stand = await createStand(stops);
  const gauge: Gauge = { stand, cpu: await createCpuClock(), stops };
  const rows: string[][] = [];
  const details: object[] = [];
  for (const text of servers) {
    const kind = await serverKind(text, stand.go);
    const { title } = kind;
    const server = await stand.startServer(kind);
    const subject: Subject = { title, server, envoy: await stand.startEnvoy(server, await writeLoggersConfig(stand.directory, stops)) };
    const load = (log: string, forS: number): Promise<Measurement> =>
      measure(subject, { connections: CONNECTIONS, seconds: forS, header: `${LOG_HEADER}: ${log}` }, gauge);
    for (const log of kinds) await load(log, WARM_UP_S);
    const found = await inPairedRounds(kinds, rounds, async (log, round) => {
      if (log === NONE) note(`round ${round + 1}/${rounds}, ${title}`);
      return load(log, seconds);
    });
    const base = found.get(NONE) ?? [];
    for (const [log, all] of found) rows.push([`${title} · ${log}`, ...rowOf(all, base)]);
    details.push({ title, rounds: Object.fromEntries(found) });
  }
  printReport(
    {
      command: `npm run bench:outcomes -- --rounds ${rounds} --seconds ${seconds} --servers ${servers.join()} --logs ${logs.join()}`,
      versions: stand.versions,
      columns: ["server · log", "server µs", "ratio", "Envoy µs", "ratio", "together", "ratio"],
      rows,
      remarks: [
        `Processor time per request, ${CONNECTIONS} connections, one Envoy that writes the entries that a request asks for; medians of ${rounds} rounds of ${seconds} s.`,
        "Ratios to the runs without entries are medians of the rounds' ratios. lines is what Serin uses, als the access log stream, which it reads too; file goes to /dev/null and fluentd to a socket that is read and forgotten.",
      ],
      details,
    },
    flags.output,
  );
});

function rowOf(all: readonly Measurement[], base: readonly Measurement[]): string[] {
  const figures = [
    ({ serverUs }: Measurement) => serverUs,
    ({ envoyUs }: Measurement) => envoyUs,
    (m: Measurement) => m.serverUs + m.envoyUs,
  ];
  return figures.flatMap((figure) => [
    median(all.map(figure)).toFixed(1),
    median(all.map((one, round) => figure(one) / (base[round] === undefined ? Number.NaN : figure(base[round])))).toFixed(3),
  ]);
}
