/** From a canary's first failure to its last request, with real Envoy, NATS, sidecars and controller: `npm run bench:reaction`. */
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import type { RolloutInput } from "../../src/contract/rollout.ts";
import { startEnvoy } from "../../src/demo/envoy.ts";
import { findProgram, programCacheDir } from "../../src/demo/programs.ts";
import { type Stack, startStack } from "../../src/demo/stack.ts";
import { startTraffic, type Traffic } from "../../src/demo/traffic.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { createLog } from "../../src/io/log.ts";
import { connectNats, type NatsLink } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { listAudit, readLive } from "../../src/io/store.ts";
import { median, note, quantile, runBench, type Stops } from "./wire/bench.ts";
import { readFlags } from "./wire/flags.ts";
import { printReport } from "./wire/report.ts";

const defaults = { runs: "20", rate: "500", share: "1%", healthy: "3", modes: "judge,reflex" };
const flags = readFlags(process.argv.slice(2), defaults);
const SIDECARS = 3;
const USERS = 4_000;
/** Nobody retries these on stable: each failure is one that its user sees. */
const METHOD = "POST";
/** What is on its way when the share goes to 0 arrives within these. */
const SETTLE_MS = 1_000;

interface Run {
  readonly mode: string;
  /** From the canary's first failure to its last request, and from the verdict to that; milliseconds. */
  readonly lastMs: number;
  readonly verdictToLastMs: number;
  readonly failureToVerdictMs: number;
  /** Requests that the canary failed. */
  readonly harmed: number;
}

/** Who may stop the canary: the judge alone, or each sidecar too. */
const REFLEX: Readonly<Record<string, Partial<RolloutInput>>> = { judge: {}, reflex: { reflex: true } };

const rolloutOf = (name: string, mode: string): RolloutInput => ({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name,
  match: { hosts: [`${name}.example`] },
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "stable" }, canary: { cluster: "canary" } },
  strategy: { type: "canary", stages: [{ share: flags.text("share"), minTime: "1h" }] },
  ...REFLEX[mode],
});

interface Stand {
  readonly stack: Stack;
  readonly link: NatsLink;
  /** Of each Envoy. */
  readonly traffic: readonly Traffic[];
}

async function start(stops: Stops): Promise<{ stand: Stand; versions: string[] }> {
  const find = { env: process.env, cacheDir: programCacheDir(), log: createLog({ name: "bench", level: "warn" }) };
  const [envoy, nats] = [await findProgram("envoy", find), await findProgram("nats-server", find)];
  const stack = await startStack({
    envoyProgram: envoy.path,
    natsServerProgram: nats.path,
    serinBin: join(packageRoot(), "dist", "src", "bin", "serin.js"),
    env: process.env,
    sidecars: SIDECARS,
    controllers: 1,
  });
  stops.push(stack.stop);
  const link = await connectNats({ url: stack.nats.url, name: "bench", waitForServer: false });
  stops.push(link.close);
  const perSecond = flags.count("rate") / SIDECARS;
  const traffic: Traffic[] = [];
  const { stable, canary } = stack;
  for (const index of stack.sidecarIds.keys()) {
    // Each beside an Envoy of its own, whose decisions and outcomes it has.
    const sidecars = [`unix:${join(stack.directory, `s${index}.sock`)}`];
    const own = await startEnvoy({ program: envoy.path, sidecars, stable: stable.address, canary: canary.address });
    stops.push(() => own.stop());
    const request = { port: own.port, host: "nobody.example", path: "/", method: METHOD, users: USERS, perSecond };
    const one = startTraffic({ ...request, onRequest: () => undefined });
    stops.push(() => one.stop());
    traffic.push(one);
  }
  return { stand: { stack, link, traffic }, versions: [`Envoy ${envoy.version}`, `NATS ${nats.version}`, `Node ${process.versions.node}`] };
}

async function play(mode: string, name: string, { stack, link, traffic }: Stand): Promise<Run> {
  const { canary } = stack;
  canary.failPart(0);
  for (const one of traffic) one.setHost(`${name}.example`);
  const file = join(stack.directory, `${name}.yaml`);
  await writeFile(file, stringify(rolloutOf(name, mode)));
  const { code, error } = await stack.serin("apply", "-f", file);
  if (code !== 0) throw new Error(`apply ended with ${code}: ${error}`);
  const phase = async () => (await readLive(link, name))?.plan;
  const hasBegun = async () => {
    const plan = await phase();
    return plan?.phase === "stage" && plan.begunAtMs !== null;
  };
  await waitFor(hasBegun, { deadlineMs: 30_000, what: `${name} to begin` });
  await delay(flags.count("healthy") * 1_000);
  canary.reset();
  canary.failPart(1);
  await waitFor(async () => (await phase())?.phase === "rolledBack", { deadlineMs: 60_000, what: `${name} to be rolled back` });
  await delay(SETTLE_MS);
  const rollback = (await listAudit(link, name, 20)).find(({ action }) => action === "rollback");
  const { firstFailureMs, lastRequestMs, failed } = canary.seen;
  if (rollback === undefined || firstFailureMs === undefined || lastRequestMs === undefined) throw new Error(`${name} never failed`);
  const verdictMs = rollback.atMs - performance.timeOrigin;
  return {
    mode,
    lastMs: lastRequestMs - firstFailureMs,
    verdictToLastMs: Math.max(0, lastRequestMs - verdictMs),
    failureToVerdictMs: verdictMs - firstFailureMs,
    harmed: failed,
  };
}

const round = (value: number): number => Math.round(value);

function summaryOf(runs: readonly Run[]) {
  const all = (of: keyof Omit<Run, "mode">): number[] => runs.map((run) => run[of]);
  return {
    medianMs: round(median(all("lastMs"))),
    p95Ms: round(quantile(all("lastMs"), 0.95)),
    verdictToLastP99Ms: round(quantile(all("verdictToLastMs"), 0.99)),
    failureToVerdictMedianMs: round(median(all("failureToVerdictMs"))),
    harmedMedian: median(all("harmed")),
    harmedMax: Math.max(...all("harmed")),
    runs: runs.length,
  };
}

const runs = flags.count("runs");
const modes = flags.list("modes");
await runBench(runs * modes.length * 60_000 + 120_000, async (stops) => {
  const { stand, versions } = await start(stops);
  const done: Run[] = [];
  for (let index = 1; index <= runs; index += 1) {
    for (const mode of modes) {
      done.push(await play(mode, `${mode}-${index}`, stand));
      note(JSON.stringify(done.at(-1)));
    }
  }
  const summaries = modes.map((mode) => [mode, summaryOf(done.filter((run) => run.mode === mode))] as const);
  printReport(
    {
      command: `npm run bench:reaction -- ${Object.keys(defaults)
        .map((name) => `--${name} ${flags.text(name)}`)
        .join(" ")}`,
      versions,
      columns: [
        "who stops it",
        "first failure → last request, median ms",
        "p95 ms",
        "verdict → last request, p99 ms",
        "failure → verdict, median ms",
        "harmed, median (most)",
      ],
      rows: summaries.map(([mode, told]) =>
        [
          mode,
          told.medianMs,
          told.p95Ms,
          told.verdictToLastP99Ms,
          told.failureToVerdictMedianMs,
          `${told.harmedMedian} (${told.harmedMax})`,
        ].map(String),
      ),
      remarks: [
        `${flags.text("share")} of ${flags.text("rate")} requests/s by ${METHOD}, which nobody rescues; ${SIDECARS} sidecars, each beside an Envoy; the canary is well for ${flags.text("healthy")} s and then fails every request.`,
        `Load of the machine when this was printed: ${loadavg()
          .map((load) => load.toFixed(1))
          .join(", ")}.`,
      ],
      details: done,
    },
    flags.output === "json" ? "text" : flags.output,
  );
  const [first, ...others] = summaries;
  if (flags.output === "json" && first !== undefined)
    process.stdout.write(`${JSON.stringify({ ...first[1], ...Object.fromEntries(others) })}\n`);
});
