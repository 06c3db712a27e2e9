/** What a thousand rollouts at once cost one controller, and three sidecars: `npm run bench:controller`. */
import { randomUUID } from "node:crypto";
import { loadavg } from "node:os";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Command } from "../../src/contract/messages.ts";
import { SUBJECTS } from "../../src/contract/names.ts";
import { LeaseSchema } from "../../src/contract/rules.ts";
import { startNatsServer } from "../../src/demo/nats-server.ts";
import { findProgram, programCacheDir } from "../../src/demo/programs.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { createLog } from "../../src/io/log.ts";
import { connectNats, ensureStreams, type NatsLink, subscribeSafely } from "../../src/io/nats.ts";
import { sendCommand } from "../../src/io/store.ts";
import { documentOf } from "../unit/controller/builders.ts";
import { startLineProcess } from "./controller/line-process.ts";
import { median, note, quantile, runBench, type Stops } from "./wire/bench.ts";
import { readFlags } from "./wire/flags.ts";
import { printReport } from "./wire/report.ts";

const defaults = { rollouts: "1,100,1000", sidecars: "3", seconds: "20", runs: "10", rate: "10", builds: "dist/src", rounds: "1" };
const flags = readFlags(process.argv.slice(2), defaults);

const DelaySchema = z.object({ p50: z.number(), p99: z.number(), max: z.number() });
const ControllerSchema = z.object({ isLeader: z.boolean(), delayMs: DelaySchema, cpu: z.number(), rssMb: z.number() });
const SidecarsSchema = z.object({ live: z.number(), delayMs: DelaySchema, cpu: z.number() });
const BackSchema = z.object({ backMs: z.number(), harmed: z.number() });

/** So many people apply at once, as pipelines do. */
const AT_ONCE = 8;

type Case = Readonly<{ build: string; rollouts: number; natsProgram: string }>;
interface Row {
  readonly build: string;
  readonly rollouts: number;
  readonly applyMs: number;
  readonly controller: z.infer<typeof ControllerSchema>;
  readonly sidecars: z.infer<typeof SidecarsSchema>;
  /** What sidecars told while nothing failed, a second. */
  readonly told: Readonly<{ messages: number; kib: number }>;
  /** The same while one canary after another was dead. */
  readonly toldOfDead: Row["told"];
  readonly commandMs: readonly number[];
  readonly backs: readonly z.infer<typeof BackSchema>[];
  /** Between two beats while all ran. */
  readonly beatGapsMs: readonly number[];
  /** Leaders that the lease was lost by. */
  readonly lost: number;
  readonly takeoverMs: number;
}

/** Beats as they come in. */
function hearBeats(link: NatsLink) {
  const terms = new Set<number>();
  const gapsMs: number[] = [];
  let lastMs: number | undefined;
  subscribeSafely(
    link,
    SUBJECTS.push(SUBJECTS.lease),
    ({ data }) => {
      const atMs = performance.now();
      if (lastMs !== undefined) gapsMs.push(atMs - lastMs);
      lastMs = atMs;
      terms.add(LeaseSchema.parse(JSON.parse(new TextDecoder().decode(data))).term);
    },
    (error) => note(String(error)),
  );
  return { terms, gapsMs };
}

function hearTold(link: NatsLink) {
  const told = { messages: 0, bytes: 0 };
  for (const subject of [SUBJECTS.allEvidence, SUBJECTS.allFailing, SUBJECTS.allReceipts, SUBJECTS.allMix])
    subscribeSafely(
      link,
      subject,
      ({ data }) => {
        told.messages += 1;
        told.bytes += data.length;
      },
      (error) => note(String(error)),
    );
  return told;
}

async function measure({ build, rollouts, natsProgram }: Case, stops: Stops): Promise<Row> {
  const nats = await startNatsServer({ program: natsProgram });
  stops.push(() => nats.stop());
  const connect = async (): Promise<NatsLink> => {
    const link = await connectNats({ url: nats.url, name: "bench", waitForServer: true });
    stops.push(link.close);
    return link;
  };
  const [link, listening] = [await connect(), await connect()];
  await ensureStreams(link);
  const beats = hearBeats(link);
  const controller = startLineProcess("controller-holder.ts", [nats.url, "first", build], stops);
  const look = async () => ControllerSchema.parse(await controller.ask());
  await waitFor(async () => (await look()).isLeader, { deadlineMs: 30_000, what: "the controller to lead" });
  const sidecars = startLineProcess("sidecars-holder.ts", [nats.url, flags.text("sidecars"), flags.text("rate")], stops);
  const lookAtSidecars = async () => SidecarsSchema.parse(await sidecars.ask());
  const send = (command: Partial<Command> & Pick<Command, "verb">) =>
    sendCommand(link, { format: 1, id: randomUUID(), who: { name: "bench", claimed: true }, ...command }, 120_000);
  const names = Array.from({ length: rollouts }, (_, index) => `r${index}`);
  const beganMs = performance.now();
  const applyAll = async (some: Iterable<string>): Promise<void> => {
    for (const name of some) {
      const strategy = { type: "canary" as const, stages: [{ share: "10%", minTime: "1h" }] };
      const { result, message } = await send({ verb: "apply", document: documentOf(name, { strategy }) });
      if (result !== "done") throw new Error(`${name}: ${message}`);
    }
  };
  const rest = names.values();
  await Promise.all(Array.from({ length: AT_ONCE }, () => applyAll(rest)));
  const applyMs = performance.now() - beganMs;
  note(`${build}: ${rollouts} applied in ${Math.round(applyMs)} ms`);
  const allServed = async () => (await lookAtSidecars()).live === rollouts;
  await waitFor(allServed, { deadlineMs: 120_000, what: "all rollouts to be in their stage" });
  await delay(5_000);
  const told = hearTold(listening);
  await Promise.all([look(), lookAtSidecars()]);
  const [sinceMs, before] = [performance.now(), { ...told }];
  const commandMs: number[] = [];
  for (const endMs = sinceMs + flags.count("seconds") * 1_000; performance.now() < endMs; ) {
    const sentMs = performance.now();
    await send({ verb: "resume", rollout: names[0] ?? "" });
    commandMs.push(performance.now() - sentMs);
    await delay(200);
  }
  const [ofController, ofSidecars] = await Promise.all([look(), lookAtSidecars()]);
  const since = (fromMs: number, from: typeof told): Row["told"] => {
    const seconds = (performance.now() - fromMs) / 1_000;
    return { messages: (told.messages - from.messages) / seconds, kib: (told.bytes - from.bytes) / 1_024 / seconds };
  };
  const toldASecond = since(sinceMs, before);
  const backs: z.infer<typeof BackSchema>[] = [];
  const [deadSinceMs, deadBefore] = [performance.now(), { ...told }];
  for (const name of names.slice(-flags.count("runs"))) {
    backs.push(BackSchema.parse(await sidecars.ask(`fail ${name}`)));
    await delay(100 + 400 * Math.random());
  }
  const toldOfDead = since(deadSinceMs, deadBefore);
  const [lost, beatGapsMs] = [beats.terms.size - 1, [...beats.gapsMs]];
  const second = startLineProcess("controller-holder.ts", [nats.url, "second", build], stops);
  await second.ask();
  await delay(2_000);
  const killedMs = performance.now();
  controller.kill();
  await waitFor(async () => ControllerSchema.parse(await second.ask()).isLeader, {
    deadlineMs: 120_000,
    what: "the other controller to lead",
  });
  const takeoverMs = performance.now() - killedMs;
  const figures = {
    applyMs,
    controller: ofController,
    sidecars: ofSidecars,
    told: toldASecond,
    toldOfDead,
    commandMs,
    backs,
    beatGapsMs,
    lost,
    takeoverMs,
  };
  return { build, rollouts, ...figures };
}

const three = (values: readonly number[]): string =>
  `${median(values).toFixed(0)} / ${quantile(values, 0.95).toFixed(0)} / ${Math.max(...values).toFixed(0)}`;
const delays = ({ p50, p99, max }: z.infer<typeof DelaySchema>): string => [p50, p99, max].map((value) => value.toFixed(0)).join(" / ");

const cells = ({ build, rollouts, ...row }: Row): string[] => [
  build,
  String(rollouts),
  (row.applyMs / 1_000).toFixed(1),
  `${Math.round(row.controller.cpu * 100)} %`,
  delays(row.controller.delayMs),
  three(row.commandMs),
  `${three(row.backs.map(({ backMs }) => backMs))} (${median(row.backs.map(({ harmed }) => harmed))})`,
  `${quantile(row.beatGapsMs, 0.99).toFixed(0)} / ${Math.max(...row.beatGapsMs).toFixed(0)}`,
  String(row.lost),
  (row.takeoverMs / 1_000).toFixed(1),
  row.controller.rssMb.toFixed(0),
  ...[row.told, row.toldOfDead].map(({ messages, kib }) => `${messages.toFixed(0)}, ${kib.toFixed(0)} KiB`),
  `${Math.round(row.sidecars.cpu * 100)} %, ${delays(row.sidecars.delayMs)}`,
];

await runBench(3_600_000, async (stops) => {
  const find = { env: process.env, cacheDir: programCacheDir(), log: createLog({ name: "bench", level: "warn" }) };
  const nats = await findProgram("nats-server", find);
  const rows: Row[] = [];
  const rounds = Array.from({ length: flags.count("rounds") }, () => flags.list("builds"));
  for (const rollouts of flags.list("rollouts").map(Number)) {
    for (const build of rounds.flat()) {
      const own: Stops = [];
      stops.push(async () => {
        for (const stop of own.splice(0).toReversed()) await stop();
      });
      rows.push(await measure({ build, rollouts, natsProgram: nats.path }, own));
      note(JSON.stringify(rows.at(-1)));
      for (const stop of own.splice(0).toReversed()) await stop();
    }
  }
  printReport(
    {
      command: `npm run bench:controller -- ${Object.keys(defaults)
        .map((name) => `--${name} ${flags.text(name)}`)
        .join(" ")}`,
      versions: [`NATS ${nats.version}`, `Node ${process.versions.node}`],
      columns: [
        "build",
        "rollouts",
        "all applied s",
        "CPU of a core",
        "loop delay p50 / p99 / max ms",
        "a command p50 / p95 / max ms",
        "first failure → off everywhere p50 / p95 / max ms (harmed)",
        "between beats p99 / max ms",
        "leases lost",
        "takeover s",
        "RSS MB",
        "told a second",
        "the same with one dead",
        "all sidecars: CPU of a core, loop delay p50 / p99 / max ms",
      ],
      rows: rows.map(cells),
      remarks: [
        `All rollouts live at 10 %; ${flags.text("sidecars")} sidecars in one process count ${flags.text("rate")} requests a second of each. Rollouts are applied eight at a time. A command is a resume that is refused: it waits for what the controller does before it. A dead canary fails 5 requests a second.`,
        `Load of the machine when this was printed: ${loadavg()
          .map((load) => load.toFixed(1))
          .join(", ")}.`,
      ],
      details: rows,
    },
    flags.output,
  );
});
