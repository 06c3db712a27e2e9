/** Canaries that go wrong with real Envoy, NATS, sidecars and controller, and what each costs: `npm run bench:live`. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { findProgram, programCacheDir } from "../../src/demo/programs.ts";
import { createShareLog, followShares } from "../../src/demo/share-log.ts";
import { startStack } from "../../src/demo/stack.ts";
import { createLog } from "../../src/io/log.ts";
import { connectNats } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type LiveRun, playLive, type Stand } from "./live/run.ts";
import { LIVE_SCENARIOS, type LiveScenario } from "./live/scenarios.ts";
import { median, note, runBench, type Stops } from "./wire/bench.ts";
import { readFlags } from "./wire/flags.ts";
import { printReport } from "./wire/report.ts";

const defaults = { runs: "5", only: ".", rate: "150", history: "20", out: "" };
const flags = readFlags(process.argv.slice(2), defaults);
const only = new RegExp(flags.text("only"));
const scenarios = LIVE_SCENARIOS.filter(({ id }) => only.test(id));
const runs = flags.count("runs");

async function startStand(stops: Stops): Promise<{ stand: Stand; versions: string[] }> {
  const find = { env: process.env, cacheDir: programCacheDir(), log: createLog({ name: "bench", level: "warn" }) };
  const [envoy, nats] = [await findProgram("envoy", find), await findProgram("nats-server", find)];
  const stack = await startStack({
    envoyProgram: envoy.path,
    natsServerProgram: nats.path,
    serinBin: join(packageRoot(), "dist", "bin", "serin.js"),
    env: process.env,
    sidecars: 2,
    controllers: 1,
  });
  stops.push(stack.stop);
  const link = await connectNats({ url: stack.nats.url, name: "bench", waitForServer: false });
  stops.push(link.close);
  const shares = createShareLog(stack.sidecarIds);
  stops.push(followShares(link, shares, (error) => note(String(error))));
  const versions = [`Envoy ${envoy.version}`, `NATS ${nats.version}`, `Node ${process.versions.node}`];
  return { stand: { stack, shares, perSecond: flags.count("rate"), historyS: flags.count("history") }, versions };
}

const seconds = (values: readonly (number | null)[]): string => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? "–" : `${(median(known) / 1_000).toFixed(1)} s (${(Math.max(...known) / 1_000).toFixed(1)})`;
};
const counts = (values: readonly number[]): string => `${Math.round(median(values))} (${Math.max(...values)})`;

function rowOf({ id, title, wanted }: LiveScenario, all: readonly LiveRun[]): string[] {
  const own = all.filter(({ scenario }) => scenario === id);
  return [
    title,
    wanted === "rolledBack" ? "rolled back" : "goes on",
    `${own.filter(({ isAsWanted }) => isAsWanted).length} of ${own.length}`,
    seconds(own.map(({ decidedMs }) => decidedMs)),
    seconds(own.map(({ lastRequestMs }) => lastRequestMs)),
    counts(own.map(({ onCanary }) => onCanary)),
    counts(own.map(({ harmed }) => harmed)),
    counts(own.map(({ seenFailed }) => seenFailed)),
    `${median(own.map(({ largestShareBp }) => largestShareBp)) / 100} %`,
  ];
}

// As long as all are watched to their end, and some time to start and stop.
const limitMs = runs * scenarios.reduce((sum, { watchS }) => sum + (watchS + flags.count("history") + 30) * 1_000, 0) + 120_000;
await runBench(limitMs, async (stops) => {
  const { stand, versions } = await startStand(stops);
  const done: LiveRun[] = [];
  for (let index = 1; index <= runs; index += 1) {
    for (const scenario of scenarios) {
      const run = await playLive(scenario, `${scenario.id.replaceAll("_", "-")}-${index}`, stand);
      done.push(run);
      note(JSON.stringify(run));
    }
  }
  const columns = ["what happens", "wanted", "as wanted", "decided", "last request", "on canary", "harmed", "seen failed", "largest share"];
  const typed = Object.keys(defaults).filter((name) => flags.text(name) !== "" && name !== "out");
  printReport(
    {
      command: `npm run bench:live -- ${typed.map((name) => `--${name} ${flags.text(name)}`).join(" ")}`,
      versions,
      columns,
      rows: scenarios.map((scenario) => rowOf(scenario, done)),
      remarks: [
        "Medians, and the worst in brackets. Times are from the canary's first harmed request to the order to roll back, and to the last request that reached it.",
        "Harmed requests are those that the canary failed, left hanging, or made slower than stable's p95; seen failed is what users saw of both versions.",
      ],
      details: done,
    },
    flags.output,
  );
  if (flags.text("out") !== "") await writeFile(flags.text("out"), `${JSON.stringify(done, null, 1)}\n`);
  if (done.some(({ isAsWanted }) => !isAsWanted)) process.exitCode = 1;
});
