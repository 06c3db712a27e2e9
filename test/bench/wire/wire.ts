/** A whole sidecar beside Envoy, side by side with a twin in Go: `npm run bench:wire -- --rounds 9 --seconds 8`. Linux only. */
import process from "node:process";
import { refuseUnlessAgreed } from "./agreement.ts";
import { median, note, runBench } from "./bench.ts";
import { type Counts, countsOf } from "./counts.ts";
import { createCpuClock } from "./cpu.ts";
import { readFlags } from "./flags.ts";
import { misrouted } from "./load.ts";
import { type Gauge, inPairedRounds, type Measurement, measure, type Subject } from "./measure.ts";
import { printReport } from "./report.ts";
import { serverKind } from "./servers.ts";
import { createStand } from "./stand.ts";

/** What one round found of one subject. */
interface Round {
  readonly alone: Measurement;
  readonly crowded: Measurement;
}

const CROWD = 64;
const WARM_UP_S = 5;
const PER_RUN_GRACE_S = 30;

const flags = readFlags(process.argv.slice(2), { rounds: "9", seconds: "8", servers: "go,node,node24" });
const [rounds, seconds, servers] = [flags.count("rounds"), flags.count("seconds"), flags.list("servers")];
const limitS = 900 + servers.length * (rounds + 1) * 2 * (seconds + PER_RUN_GRACE_S);

await runBench(limitS * 1_000, async (stops) => {
  const stand = await createStand(stops);
  const gauge: Gauge = { stand, cpu: await createCpuClock(), stops };
  const subjects: Subject[] = [];
  for (const text of servers) {
    const kind = await serverKind(text, stand.go);
    const server = await stand.startServer(kind);
    subjects.push({ title: kind.title, server, envoy: await stand.startEnvoy(server, "with the access log stream") });
  }
  const agreed = await refuseUnlessAgreed(
    stand.ruleSet,
    subjects.map(({ server }) => server),
  );
  note(`${subjects.length} servers agree on ${agreed} requests`);
  for (const subject of subjects) await measure(subject, { connections: CROWD, seconds: Math.min(seconds, WARM_UP_S) }, gauge);
  const before = await Promise.all(subjects.map(({ server }) => countsOf(server)));
  const found = await inPairedRounds(subjects, rounds, async (subject, round): Promise<Round> => {
    const crowded = await measure(subject, { connections: CROWD, seconds }, gauge);
    const alone = await measure(subject, { connections: 1, seconds }, gauge);
    note(
      `round ${round + 1}/${rounds}, ${subject.title}: ${crowded.serverUs.toFixed(1)} µs a request, p50 alone ${alone.p50Us.toFixed(0)} µs`,
    );
    return { alone, crowded };
  });
  const counted = await Promise.all(subjects.map(async ({ server }, index) => countedSince(before[index], await countsOf(server))));
  const [yardstick] = found.values();
  printReport(
    {
      command: `npm run bench:wire -- --rounds ${rounds} --seconds ${seconds} --servers ${servers.join()}`,
      versions: stand.versions,
      columns: [
        ...["server", "server µs/request", `of ${subjects[0]?.title}`, "Envoy µs/request", "requests/s", "p50 µs", "p99 µs"],
        ...["1 conn.: server µs", "p50 µs", `of ${subjects[0]?.title}`, "p99 µs", "failed open", "misrouted"],
      ],
      rows: [...found].map(([{ title }, all]) => [title, ...rowOf(all, yardstick ?? [])]),
      remarks: [
        `${CROWD} connections, then 1 connection; medians of ${rounds} rounds of ${seconds} s, ratios are medians of the rounds' ratios.`,
        "100 rollouts, decisions, and outcomes by the access log stream, which all of them read; Envoy with one worker.",
        ...[...found].map(([{ title }, all], index) => `${title} counted ${counted[index]} of ${requestsOf(all)} requests.`),
      ],
      details: [...found].map(([{ title }, all]) => ({ title, rounds: all })),
    },
    flags.output,
  );
});

function requestsOf(all: readonly Round[]): number {
  return all.reduce((total, { alone, crowded }) => total + alone.requests + crowded.requests, 0);
}

function countedSince(before: Counts | undefined, now: Counts): string {
  return `${now.decisions - (before?.decisions ?? 0)} decisions and ${now.outcomes - (before?.outcomes ?? 0)} outcomes`;
}

function rowOf(all: readonly Round[], yardstick: readonly Round[]): string[] {
  const middle = (figure: (round: Round) => number, digits = 0): string => median(all.map(figure)).toFixed(digits);
  const ratio = (figure: (round: Round) => number): string =>
    median(all.flatMap((round, index) => (yardstick[index] === undefined ? [] : [figure(round) / figure(yardstick[index])]))).toFixed(2);
  const sum = (figure: (measured: Measurement) => number): string =>
    String(all.reduce((total, { alone, crowded }) => total + figure(alone) + figure(crowded), 0));
  return [
    middle(({ crowded }) => crowded.serverUs, 1),
    ratio(({ crowded }) => crowded.serverUs),
    middle(({ crowded }) => crowded.envoyUs, 1),
    middle(({ crowded }) => crowded.requestsPerS),
    middle(({ crowded }) => crowded.p50Us),
    middle(({ crowded }) => crowded.p99Us),
    middle(({ alone }) => alone.serverUs, 1),
    middle(({ alone }) => alone.p50Us),
    ratio(({ alone }) => alone.p50Us),
    middle(({ alone }) => alone.p99Us),
    sum(({ failedOpen }) => failedOpen),
    sum(misrouted),
  ];
}
