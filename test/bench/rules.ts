/** What many rollouts and a long list of users cost a sidecar: `npm run bench:rules`. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { SUBJECTS } from "../../src/contract/names.ts";
import { compile, recompile, withUnwatched } from "../../src/core/decide/compile.ts";
import { compileStatics, createSharedParts } from "../../src/core/decide/statics.ts";
import { startNatsServer } from "../../src/demo/nats-server.ts";
import { findProgram, programCacheDir } from "../../src/demo/programs.ts";
import { createLog } from "../../src/io/log.ts";
import { connectNats, ensureStreams, type NatsLink } from "../../src/io/nats.ts";
import { published } from "../support/rules-on-disk.ts";
import { type Holder, startHolder } from "./rules/holder-process.ts";
import { packedList, type ScaleChange, scaleRules, writeRules } from "./rules/scale-rules.ts";
import { segmentRows } from "./rules/segment-rows.ts";
import { tellingStalls } from "./rules/telling-process.ts";
import { median, note, runBench, type Stops } from "./wire/bench.ts";
import { readFlags } from "./wire/flags.ts";
import { printReport } from "./wire/report.ts";
import { serinKind, startServer } from "./wire/servers.ts";

const defaults = { rollouts: "10000", users: "1000000", idle: "60", changes: "10", servers: "node" };
const flags = readFlags(process.argv.slice(2), defaults);
const [rollouts, users, idleS, changes] = [flags.count("rollouts"), flags.count("users"), flags.count("idle"), flags.count("changes")];

/** With traffic for all sides of so many rollouts, whatever the number of rules. */
const WITH_TRAFFIC = 1_000;

await runBench(1_800_000, async (stops) => {
  const directory = await mkdtemp(join(tmpdir(), "serin-rules-"));
  stops.push(() => rm(directory, { recursive: true, force: true }));
  const list = packedList(users);
  const rows: [string, string][] = [];
  for (const server of flags.list("servers")) rows.push(...(await memory({ server, directory, list, stops })));
  rows.push(...(await fileStalls(directory, list, stops)));
  const natsUrl = await natsServer(stops);
  rows.push(...(await natsStalls(natsUrl, directory, stops)));
  rows.push(...(await tellings(natsUrl, stops)));
  rows.push(...(await segmentRows({ rollouts, users, list, idleS, changes, directory, stops, natsUrl })));
  rows.push(...compileTimes());
  const given = Object.keys(defaults).map((name) => `--${name} ${flags.text(name)}`);
  printReport(
    {
      command: `npm run bench:rules -- ${given.join(" ")}`,
      versions: [`Node ${process.versions.node}`],
      columns: ["what", "figure"],
      rows,
      remarks: [
        `${rollouts} rollouts, each with its own host; one of them lists ${users} users, except over NATS, where a blob is one message.`,
        "Stalls are the longest that monitorEventLoopDelay saw at a resolution of 1 ms, which is part of each figure, in a process that runs the sidecar's modules.",
        `Memory is VmRSS of a real sidecar with --rules FILE that has been idle for ${idleS} s, without any option of Node.`,
      ],
      details: rows,
    },
    flags.output,
  );
});

interface MemoryParts {
  readonly server: string;
  readonly directory: string;
  readonly list: string;
  readonly stops: Stops;
}

async function memory({ server, directory, list, stops }: MemoryParts): Promise<[string, string][]> {
  const kind = await serinKind(server);
  const rulesPath = join(directory, `${server.replaceAll(/\W/g, "-")}.json`);
  await writeRules(rulesPath, scaleRules(rollouts, list));
  const own: Stops = [];
  stops.push(() => Promise.all(own.map((stop) => stop())));
  const beginMs = performance.now();
  const started = await startServer(kind, { socketPath: join(directory, "m.sock"), rulesPath }, own);
  const readyMs = performance.now() - beginMs;
  const { pid } = started.process;
  note(`${kind.title} serves; idle for ${idleS} s`);
  await delay(idleS * 1_000);
  const settled = await resident(pid);
  for (const revision of Array.from({ length: changes }, (_, index) => index + 2)) {
    await writeRules(rulesPath, scaleRules(rollouts, list, { revision, rollout: revision, by: "rules" }));
    await delay(1_500);
  }
  await delay(idleS * 1_000);
  const later = await resident(pid);
  for (const stop of own) await stop();
  return [
    [`${kind.title}: start until it serves`, `${readyMs.toFixed(0)} ms`],
    [`${kind.title}: settled memory`, `${settled.now} MB`],
    [`${kind.title}: settled memory after ${changes} changes`, `${later.now} MB`],
    [`${kind.title}: largest memory ever`, `${later.most} MB`],
  ];
}

/** Resident memory of a process in MB (2²⁰ bytes), from Linux's /proc. */
async function resident(pid: number): Promise<{ now: number; most: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const value = (name: string): number => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024);
  return { now: value("VmRSS"), most: value("VmHWM") };
}

/** Stalls at changes of rollouts here and there, by share and by static rules. */
async function stallRows(title: string, holder: Holder, change: (change: ScaleChange) => Promise<void>): Promise<[string, string][]> {
  const rows: [string, string][] = [
    [`${title}: first load, longest stall`, `${holder.first.longestStallMs.toFixed(1)} ms`],
    [`${title}: first load, in force after`, `${holder.first.tookMs.toFixed(0)} ms`],
  ];
  let revision = 1;
  for (const by of ["share", "rules"] as const) {
    const stalls: number[] = [];
    for (let round = 0; round < changes; round += 1) {
      revision += 1;
      const next: ScaleChange = { revision, rollout: (revision * 7_919) % (rollouts - 1), by };
      stalls.push((await holder.measure(revision, () => change(next))).longestStallMs);
    }
    rows.push([
      `${title}: one rollout's ${by} changed, longest stall`,
      `${median(stalls).toFixed(1)} ms, worst ${Math.max(...stalls).toFixed(1)} ms`,
    ]);
  }
  return rows;
}

async function fileStalls(directory: string, list: string, stops: Stops): Promise<[string, string][]> {
  const path = join(directory, "stalls.json");
  await writeRules(path, scaleRules(rollouts, list));
  const holder = await startHolder({ kind: "file", path }, 1, stops);
  const rows = await stallRows("--rules FILE", holder, (change) => writeRules(path, scaleRules(rollouts, list, change)));
  const revision = 2 * changes + 2;
  const large: ScaleChange = { revision, rollout: rollouts - 1, by: "share" };
  const { longestStallMs } = await holder.measure(revision, () => writeRules(path, scaleRules(rollouts, list, large)));
  return [...rows, [`--rules FILE: share of the rollout with ${users} users changed, stall`, `${longestStallMs.toFixed(1)} ms`]];
}

async function natsServer(stops: Stops): Promise<string> {
  const log = createLog({ name: "bench", level: "warn" });
  const { path: program } = await findProgram("nats-server", { env: process.env, cacheDir: programCacheDir(), log });
  const server = await startNatsServer({ program });
  stops.push(() => server.stop());
  return server.url;
}

async function natsStalls(url: string, directory: string, stops: Stops): Promise<[string, string][]> {
  const link = await connectNats({ url, name: "bench", waitForServer: false });
  stops.push(() => link.close());
  await ensureStreams(link);
  await publish(link);
  const holder = await startHolder({ kind: "nats", url, stateDir: join(directory, "state") }, 1, stops);
  return stallRows("NATS", holder, (change) => publish(link, change));
}

async function tellings(natsUrl: string, stops: Stops): Promise<[string, string][]> {
  const all = [];
  for (let round = 0; round < 3; round += 1) all.push(await tellingStalls({ rollouts: WITH_TRAFFIC, natsUrl }, stops));
  const figure = (stalls: number[]): string => `${median(stalls).toFixed(1)} ms, worst ${Math.max(...stalls).toFixed(1)} ms`;
  return [
    [`${WITH_TRAFFIC} rollouts with traffic: first scrape, longest stall`, figure(all.map(({ scrapeMs }) => scrapeMs))],
    [`${WITH_TRAFFIC} rollouts with traffic: evidence of all, longest stall`, figure(all.map(({ evidenceMs }) => evidenceMs))],
  ];
}

async function publish(link: NatsLink, change?: ScaleChange): Promise<void> {
  const { manifest, contents } = published(scaleRules(rollouts, undefined, change));
  for (const [hash, text] of contents) await link.jetstream.publish(SUBJECTS.blob(hash), text);
  await link.jetstream.publish(SUBJECTS.manifest, manifest);
}

function compileTimes(): [string, string][] {
  const ruleSet = scaleRules(rollouts);
  const times = (task: () => unknown): string => {
    const all = Array.from({ length: changes }, () => {
      const beginMs = performance.now();
      task();
      return performance.now() - beginMs;
    });
    return `${median(all).toFixed(1)} ms`;
  };
  const before = compile(ruleSet);
  const [name, entry] = Object.entries(ruleSet.rollouts)[0] ?? ["", undefined];
  if (entry === undefined) return [];
  const statics = compileStatics({ ...entry.rules, salt: "another" }, createSharedParts());
  const change = { epoch: 1, revision: 2, changed: new Map([[name, { statics, live: entry.live }]]), removed: [] };
  return [
    ["compiling all rollouts", times(() => compile(ruleSet))],
    ["compiling a change of one of them", times(() => recompile(before, change))],
    ["sending the shares of all home, because nobody watches", times(() => withUnwatched(before, true))],
  ];
}
