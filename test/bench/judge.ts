/** What the judge costs for one rollout and one tick, with a busy service's evidence: `npm run bench:judge`. */
import process from "node:process";
import type { EvidenceBatch, Half, JudgePolicy, Outcomes } from "../../src/core/judge/types.ts";
import type { SideCounts, Tick } from "./judging/suite/policy.ts";
import { readSuite } from "./judging/suite/scenario.ts";
import { stageOf, World } from "./judging/suite/world.ts";
import { median, quantile } from "./wire/bench.ts";
import { readFlags } from "./wire/flags.ts";
import { printReport } from "./wire/report.ts";

/** The judge as it is shipped: TypeScript that runs directly pays for the name of each function it makes. */
const built = new URL("../../dist/src/core/judge/judge.js", import.meta.url);
const { judge, startJudge }: typeof import("../../src/core/judge/judge.ts") = await import(built.href);

const defaults = { rounds: "301", ticks: "500" };
const flags = readFlags(process.argv.slice(2), defaults);

const suite = await readSuite(new URL("judging/suite/scenarios.json", import.meta.url));
const [busy] = suite.scenarios.filter(({ id }) => id === "aa_500");
if (busy === undefined) throw new Error("no scenario aa_500");
const stage = stageOf(suite, busy);

const halfOf = ({ n, errors, hist, known_errors, new_failed_keys }: SideCounts): Half => ({
  requests: n,
  failed: errors,
  latency: hist,
  users: { newly: new_failed_keys, knownRequests: known_errors },
});
const outcomesOf = (counts: SideCounts): Outcomes => ({ decided: counts.n, settled: counts.n, ...halfOf(counts) });

/** All that a batch can say: users, both halves, the split. */
const batchOf = ({ sec, stable, canary, stable_split: [half], weight }: Tick): EvidenceBatch => ({
  nowMs: (sec + stage.tickS) * 1_000,
  run: 1,
  runCanary: canary.n,
  stable: outcomesOf(stable),
  canary: outcomesOf(canary),
  halves: { hosts: halfOf(half), keys: halfOf(half) },
  split: { shareBp: weight * 10_000, canary: canary.n, all: canary.n + stable.n },
});

const policy: JudgePolicy = {
  alpha: 0.01,
  maxErrorIncrease: 0.000_5,
  maxSlowIncrease: 0.005,
  errorProof: 0.005,
  isRamp: true,
  minSample: 1,
  boundsMs: stage.boundsMs,
};

const ticks = flags.count("ticks");
const world = World.beforeHistory(stage, 1).atStart();
const batches = Array.from({ length: ticks }, () => batchOf(world.next(0.1)));

/** Processor time of all batches, in microseconds for each: what else the machine does must not count. Collecting garbage does. */
function round(): number {
  const begin = process.cpuUsage();
  let state = startJudge(0);
  for (const batch of batches) ({ state } = judge(policy, state, batch));
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / ticks;
}

round();
const rounds = Array.from({ length: flags.count("rounds") }, round);
const us = (value: number): string => value.toFixed(1);
let state = startJudge(0);
for (const batch of batches) ({ state } = judge(policy, state, batch));
printReport(
  {
    command: `npm run bench:judge -- --rounds ${flags.text("rounds")} --ticks ${flags.text("ticks")}`,
    versions: [`Node ${process.versions.node}`],
    columns: ["one rollout and tick", "median µs", "best", "90 %", "state, bytes of JSON"],
    rows: [["judge", us(median(rounds)), us(Math.min(...rounds)), us(quantile(rounds, 0.9)), String(JSON.stringify(state).length)]],
    remarks: [
      `Processor time; batches of 2,500 requests with ${stage.boundsMs.length} bounds of latency, failing users, two pairs of halves and the split.`,
    ],
    details: rounds,
  },
  flags.output,
);
