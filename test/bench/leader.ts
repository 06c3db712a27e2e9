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
import type { NatsLink, Stored } from "../../src/io/nats.ts";
import { decodeManifest } from "../../src/io/rules-store.ts";
import { decodePlan } from "../../src/io/store.ts";
import { createCells } from "../../src/sidecar/cells.ts";
import { createEvidenceRounds } from "../../src/sidecar/evidence-rounds.ts";
import { documentOf, receiptOf } from "../unit/controller/builders.ts";
import { median, note, quantile, runBench } from "./wire/bench.ts";
import { readFlags } from "./wire/flags.ts";
import { printReport } from "./wire/report.ts";

const defaults = { rollouts: "1000", sidecars: "3", rounds: "5", builds: "dist/src" };
const flags = readFlags(process.argv.slice(2), defaults);
const log = createLog({ name: "bench", level: "error" });
/** Of one round: the pace of sidecars with a thousand live rollouts, and ticks as often as by default. */
const ROUND_MS = 4_500;
const TICK_MS = 500;

/** Processor time, in milliseconds. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Processor time of each turn of the event loop that did something. */
class Turns {
  #beganMs = cpuMs();
  #isOn = true;
  costs: number[] = [];

  constructor() {
    const look = (): void => {
      const nowMs = cpuMs();
      if (nowMs - this.#beganMs > 0.2) this.costs.push(nowMs - this.#beganMs);
      this.#beganMs = nowMs;
      if (this.#isOn) setImmediate(look);
    };
    setImmediate(look);
  }

  take(): number[] {
    return this.costs.splice(0);
  }

  stop(): void {
    this.#isOn = false;
  }
}

class Memory {
  readonly state = new Map<string, Stored>();
  readonly plans = new Map<string, Stored>();
  #sequence = 0;
  waiting = 0;
  readonly written = new Map<string, number>();

  async write(kept: Map<string, Stored>, subject: string, data: string | Uint8Array): Promise<number> {
    this.waiting += 1;
    await turn();
    this.waiting -= 1;
    this.#sequence += 1;
    const stored = { subject, sequence: this.#sequence, data: Buffer.from(data) };
    const kind = subject.split(".").slice(0, 3).join(".");
    this.written.set(kind, (this.written.get(kind) ?? 0) + stored.data.length);
    kept.set(subject, stored);
    return this.#sequence;
  }

  ports(): Pick<TermParts, "state" | "plans" | "segments" | "policy" | "templates" | "audit" | "ticks"> {
    const none = { names: async () => [], last: async () => undefined, append: async () => 0 };
    const planOf = (name: string): Stored | undefined => this.plans.get(SUBJECTS.plan(name));
    const last = async (name: string) => {
      const stored = planOf(name);
      return stored === undefined ? undefined : decodePlan(stored);
    };
    return {
      state: {
        read: async (subject) => {
          await turn();
          return this.state.get(subject);
        },
        subjects: async (filter) => [...this.state.keys()].filter((subject) => subject.startsWith(filter.slice(0, -1))),
        write: async (subject, data) => void (await this.write(this.state, subject, data)),
        purge: async (subject) => void this.state.delete(subject),
      },
      plans: {
        names: async () => [...this.plans.keys()].map((subject) => subject.slice(SUBJECTS.plan("").length)),
        last,
        at: last,
        before: async () => [],
        append: (name, plan) => this.write(this.plans, SUBJECTS.plan(name), JSON.stringify(plan)),
        purge: async () => undefined,
      },
      segments: none,
      templates: none,
      policy: none,
      audit: { append: async () => void (await turn()), last: async () => undefined, recentIds: async () => new Set() },
      ticks: {
        append: async (_, text) => {
          this.written.set("ticks", (this.written.get("ticks") ?? 0) + text.length);
          await turn();
        },
      },
    };
  }
}

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

/** A sidecar that counts requests of every rollout, and what it then sends. */
function sidecarOf(id: string, runOf: (rollout: string) => number, parts: { nowMs(): number; monotonicMs(): number }) {
  const cells = createCells({ nowMs: parts.nowMs, runInForce: runOf });
  let sent: Uint8Array[] = [];
  const connection = { isClosed: () => false, publish: (_: string, data: Uint8Array) => void sent.push(Buffer.from(data)) };
  const rounds = createEvidenceRounds({
    id,
    cells,
    clock: parts,
    log,
    // Of a connection and of rules it uses no more than this.
    link: { connection } as unknown as NatsLink,
    rules: { ruleSet: () => ({ epoch: 1, revision: 1 }) } as Parameters<typeof createEvidenceRounds>[0]["rules"],
    slices: async () => undefined,
  });
  return {
    async round(names: readonly string[], requests: number): Promise<readonly Uint8Array[]> {
      for (const rollout of names) {
        for (let each = 0; each < requests; each += 1) {
          const [variant, control] = each % 10 === 0 ? ["canary", false] : ["stable", each % 10 === 9];
          const labels = { rollout, variant: String(variant), run: runOf(rollout), control: control === true };
          cells.decided(labels, "share");
          const latencyMs = Math.exp(3.7 + 0.5 * (Math.random() + Math.random() + Math.random() - 1.5));
          cells.ended(labels, {
            class: "ok",
            latencyMs,
            isSession: false,
            bucket: Math.floor(Math.random() * 2 ** 32),
            isOddHost: each % 2 === 0,
          });
        }
      }
      sent = [];
      await rounds.tell(cells.all());
      return sent;
    },
  };
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
