/** What outcomes cost on top of decisions: the same load with and without Envoy's access log stream: `npm run bench:outcomes`. Linux only. */
import process from "node:process";
import { median, note, runBench } from "./bench.ts";
import { createCpuClock } from "./cpu.ts";
import { readFlags } from "./flags.ts";
import { type Gauge, inPairedRounds, type Measurement, measure, type Subject } from "./measure.ts";
import { printReport } from "./report.ts";
import { serverKind } from "./servers.ts";
import { createStand } from "./stand.ts";

const CONNECTIONS = 64;
const WARM_UP_S = 5;
const PER_RUN_GRACE_S = 30;

/** A server twice: its outcomes with Envoy, and without. */
interface Pair {
  readonly title: string;
  readonly off: Subject;
  readonly on: Subject;
}

interface Round {
  readonly off: Measurement;
  readonly on: Measurement;
}

const flags = readFlags(process.argv.slice(2), { rounds: "9", seconds: "8", servers: "node,node24" });
const [rounds, seconds, servers] = [flags.count("rounds"), flags.count("seconds"), flags.list("servers")];
const limitS = 900 + servers.length * (rounds + 1) * 2 * (seconds + PER_RUN_GRACE_S);

await runBench(limitS * 1_000, async (stops) => {
  const stand = await createStand(stops);
  const gauge: Gauge = { stand, cpu: await createCpuClock(), stops };
  const pairs: Pair[] = [];
  for (const text of servers) {
    const kind = await serverKind(text, stand.go);
    const start = async (hasOutcomes: boolean): Promise<Subject> => {
      const server = await stand.startServer(kind);
      return { title: kind.title, server, envoy: await stand.startEnvoy(server, hasOutcomes ? undefined : "without outcomes") };
    };
    pairs.push({ title: kind.title, off: await start(false), on: await start(true) });
  }
  const load = { connections: CONNECTIONS, seconds };
  const warmUp = { connections: CONNECTIONS, seconds: Math.min(seconds, WARM_UP_S) };
  for (const { off, on } of pairs) for (const subject of [off, on]) await measure(subject, warmUp, gauge);
  const found = await inPairedRounds(pairs, rounds, async ({ title, off, on }, round): Promise<Round> => {
    // In every other round the one with outcomes goes first.
    const first = await measure(round % 2 === 0 ? off : on, load, gauge);
    const second = await measure(round % 2 === 0 ? on : off, load, gauge);
    note(`round ${round + 1}/${rounds}, ${title}`);
    return round % 2 === 0 ? { off: first, on: second } : { off: second, on: first };
  });
  printReport(
    {
      command: `npm run bench:outcomes -- --rounds ${rounds} --seconds ${seconds} --servers ${servers.join()}`,
      versions: stand.versions,
      columns: ["server", "server µs: off", "on", "ratio", "Envoy µs: off", "on", "ratio", "together: off", "on", "ratio"],
      rows: [...found].map(([{ title }, all]) => [title, ...rowOf(all)]),
      remarks: [
        `Processor time per request without (off) and with (on) outcomes, ${CONNECTIONS} connections; medians of ${rounds} rounds of ${seconds} s.`,
        "Ratios are medians of the rounds' ratios.",
      ],
      details: [...found].map(([{ title }, all]) => ({ title, rounds: all })),
    },
    flags.output,
  );
});

function rowOf(all: readonly Round[]): string[] {
  const figures = [
    ({ serverUs }: Measurement) => serverUs,
    ({ envoyUs }: Measurement) => envoyUs,
    (m: Measurement) => m.serverUs + m.envoyUs,
  ];
  return figures.flatMap((figure) => [
    median(all.map(({ off }) => figure(off))).toFixed(1),
    median(all.map(({ on }) => figure(on))).toFixed(1),
    median(all.map(({ off, on }) => figure(on) / figure(off))).toFixed(3),
  ]);
}
