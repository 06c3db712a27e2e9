/**
 * Processor time of a leader of many rollouts, without NATS: `npm run bench:leader`. Writes are stored in memory in the event loop's next turn, and
 * evidence is what real sidecars send. Wall time plays no part, so that a busy machine does not matter much.
 */
import { randomUUID } from "node:crypto";
import process from "node:process";
import { setImmediate as turn } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Command } from "../../src/contract/messages.ts";
import { SUBJECTS } from "../../src/contract/names.ts";
import type { TermParts } from "../../src/controller/ports.ts";
import { createLog } from "../../src/io/log.ts";
import type { Stored } from "../../src/io/nats.ts";
import { decodeManifest } from "../../src/io/rules-store.ts";
import { documentOf, receiptOf } from "../unit/controller/builders.ts";
import { sidecarOf } from "./controller/counting-sidecar.ts";
import { Memory } from "./controller/memory.ts";
import { cpuMs, Turns } from "./controller/turns.ts";
import { median, note, quantile, runBench } from "./wire/bench.ts";
import { readFlags } from "./wire/flags.ts";
import { printReport } from "./wire/report.ts";

const defaults = { rollouts: "1000", sidecars: "3", rounds: "5", builds: "dist/src" };
const flags = readFlags(process.argv.slice(2), defaults);
const log = createLog({ name: "bench", level: "error" });
/** Of one round: the pace of sidecars with a thousand live rollouts, and ticks as often as by default. */
const ROUND_MS = 4_500;
const TICK_MS = 500;

const clockOf = () => {
  const clock = { ms: 1_800_000_000_000 };
  return { clock, parts: { nowMs: () => clock.ms, monotonicMs: () => clock.ms } };
};

type Built = Readonly<{
  Term: typeof import("../../src/controller/term.ts").Term;
  ControllerOptionsSchema: typeof import("../../src/controller/options.ts").ControllerOptionsSchema;
}>;

async function load(build: string): Promise<Built> {
  const file = (name: string): string => pathToFileURL(`${build}/controller/${name}.js`).href;
  const { Term } = await import(file("term"));
  const { ControllerOptionsSchema } = await import(file("options"));
  return { Term, ControllerOptionsSchema };
}

interface Row {
  readonly build: string;
  readonly applyMs: number;
  readonly lastApplyMs: number;
  readonly receiptsMs: number;
  readonly evidenceMs: number;
  readonly tickMs: number;
  readonly busy: number;
  readonly turnsMs: readonly number[];
  readonly beginMs: number;
  readonly beginTurnsMs: readonly number[];
  readonly written: Readonly<Record<string, number>>;
}

async function measure(build: string): Promise<Row> {
  const { Term, ControllerOptionsSchema } = await load(build);
  const memory = new Memory();
  const { clock, parts } = clockOf();
  const settings = ControllerOptionsSchema.parse({ id: "bench", nats: "nats://unused" });
  const termParts: TermParts = { id: "bench", term: 1, settings, clock: parts, log, ...memory.ports(), killed: () => undefined };
  const term = new Term(termParts, (error) => note(String(error)));
  await term.begin();
  const turns = new Turns();
  /** Until nothing has been written for some turns. */
  const settle = async (): Promise<void> => {
    for (let idle = 0; idle < 8; idle += 1) {
      const beforeMs = cpuMs();
      await turn();
      if (memory.waiting > 0 || cpuMs() - beforeMs > 0.2) idle = 0;
    }
  };
  const names = Array.from({ length: flags.count("rollouts") }, (_, index) => `r${index}`);
  const sides = Array.from({ length: flags.count("sidecars") }, (_, index) => `side-${index}`);
  const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
  let seen: Stored | undefined;
  let obeyed = { epoch: 0, revision: 0 };
  const receipts = (): void => {
    const stored = memory.state.get(SUBJECTS.manifest);
    if (stored !== undefined && stored !== seen) obeyed = decodeManifest(stored.data);
    seen = stored;
    const { epoch, revision } = obeyed;
    for (const side of sides) {
      const receipt = receiptOf(side, { epoch, revision, sinceMs: clock.ms, atMs: clock.ms });
      term.onReceipt({ subject: SUBJECTS.receipt(side), data: encode(receipt) });
    }
  };
  const manifest = () => {
    const stored = memory.state.get(SUBJECTS.manifest);
    return stored === undefined ? undefined : decodeManifest(stored.data);
  };
  receipts();
  await settle();
  let applyMs = 0;
  let lastApplyMs = 0;
  for (const name of names) {
    const beganMs = cpuMs();
    const strategy = { type: "canary" as const, stages: [{ share: "10%", minTime: "1h" }] };
    const command: Command = {
      format: 1,
      id: randomUUID(),
      verb: "apply",
      who: { name: "bench", claimed: true },
      document: documentOf(name, { strategy }),
    };
    await new Promise((resolve) => term.onCommand({ subject: SUBJECTS.command, data: encode(command) }, resolve));
    lastApplyMs = cpuMs() - beganMs;
    applyMs += lastApplyMs;
  }
  const receiptsFromMs = cpuMs();
  const isLive = (): boolean => Object.values(manifest()?.live ?? {}).filter(({ shareBp }) => shareBp === 1_000).length === names.length;
  for (let round = 0; round < 200 && !isLive(); round += 1) {
    clock.ms += TICK_MS;
    receipts();
    term.tick();
    await settle();
  }
  if (!isLive()) throw new Error("not all are in their stage");
  const receiptsMs = cpuMs() - receiptsFromMs;
  const runs = manifest()?.live ?? {};
  const senders = sides.map((side) => ({ side, sender: sidecarOf(side, (name) => runs[name]?.run ?? 0, parts) }));
  const [evidence, ticks, all]: number[][] = [[], [], []];
  const turnsMs: number[] = [];
  memory.written.clear();
  for (let round = 0; round <= flags.count("rounds"); round += 1) {
    // The first one makes the code fast and writes what is written once.
    if (round === 1) memory.written.clear();
    const messages: { subject: string; data: Uint8Array }[][] = [];
    for (const { side, sender } of senders)
      messages.push((await sender.round(names, 40)).map((data) => ({ subject: SUBJECTS.evidence(side), data })));
    await turn();
    await turn();
    turns.take();
    const beganMs = cpuMs();
    let tickedMs = 0;
    // Each sidecar tells all in one go, at a moment of its own; ticks come between.
    for (let at = 0; at < ROUND_MS; at += TICK_MS) {
      clock.ms += TICK_MS;
      const mine = messages[(at / TICK_MS) % 3 === 0 ? at / TICK_MS / 3 : -1] ?? [];
      for (const message of mine) {
        term.onEvidence(message);
        await turn();
      }
      await settle();
      receipts();
      const fromMs = cpuMs();
      term.tick();
      await settle();
      if (mine.length === 0) tickedMs += cpuMs() - fromMs;
    }
    if (round === 0) continue;
    all?.push(cpuMs() - beganMs);
    ticks?.push(tickedMs / 6);
    evidence?.push(messages.flat().length);
    turnsMs.push(...turns.take());
  }
  const written = Object.fromEntries([...memory.written].map(([kind, bytes]) => [kind, bytes / flags.count("rounds")]));
  await term.end();
  turns.take();
  const next = new Term({ ...termParts, term: 2, ...memory.ports() }, (error) => note(String(error)));
  const beganMs = cpuMs();
  await next.begin();
  const beginMs = cpuMs() - beganMs;
  const beginTurnsMs = turns.take();
  await next.end();
  turns.stop();
  const [allMs, tickMs, count] = [all, ticks, evidence].map((values) => median(values ?? []));
  return {
    build,
    applyMs: applyMs / names.length,
    lastApplyMs,
    receiptsMs,
    evidenceMs: count ?? 0,
    tickMs: tickMs ?? 0,
    busy: (allMs ?? 0) / ROUND_MS,
    turnsMs,
    beginMs,
    beginTurnsMs,
    written,
  };
}

const part = (values: readonly number[]): string =>
  [quantile(values, 0.5), quantile(values, 0.99), Math.max(...values)].map((value) => value.toFixed(1)).join(" / ");

await runBench(1_200_000, async () => {
  const rows: Row[] = [];
  for (const build of flags.list("builds")) {
    rows.push(await measure(build));
    const { turnsMs, beginTurnsMs, ...row } = rows.at(-1) as Row;
    note(JSON.stringify({ ...row, turns: part(turnsMs), beginTurns: part(beginTurnsMs) }));
  }
  printReport(
    {
      command: `npm run bench:leader -- ${Object.keys(defaults)
        .map((name) => `--${name} ${flags.text(name)}`)
        .join(" ")}`,
      versions: [`Node ${process.versions.node}`],
      columns: [
        "build",
        "an apply ms",
        "a tick ms",
        "messages of evidence in a round",
        "CPU of a core",
        "a turn p50 / p99 / max ms",
        "takeover ms",
        "its turns p50 / p99 / max ms",
      ],
      rows: rows.map(({ build, applyMs, tickMs, evidenceMs, busy, turnsMs, beginMs, beginTurnsMs }) => [
        build,
        applyMs.toFixed(1),
        tickMs.toFixed(1),
        evidenceMs.toFixed(0),
        `${Math.round(busy * 100)} %`,
        part(turnsMs),
        beginMs.toFixed(0),
        part(beginTurnsMs),
      ]),
      remarks: ["Processor time throughout."],
      details: rows,
    },
    flags.output,
  );
});
