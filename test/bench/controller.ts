/** What a thousand rollouts at once cost one controller: `npm run bench:controller`. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { loadavg } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Command } from "../../src/contract/messages.ts";
import { startNatsServer } from "../../src/demo/nats-server.ts";
import { findProgram, programCacheDir } from "../../src/demo/programs.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { createLog } from "../../src/io/log.ts";
import { connectNats, ensureStreams } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { sendCommand } from "../../src/io/store.ts";
import { documentOf } from "../unit/controller/builders.ts";
import { startSidecars } from "./controller/many-sidecars.ts";
import { median, note, quantile, runBench, type Stops } from "./wire/bench.ts";
import { readFlags } from "./wire/flags.ts";
import { printReport } from "./wire/report.ts";

const defaults = { rollouts: "1,100,1000", sidecars: "3", seconds: "20", runs: "20" };
const flags = readFlags(process.argv.slice(2), defaults);

const ToldSchema = z.object({
  isLeader: z.boolean(),
  delayMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
  cpu: z.number(),
  rssMb: z.number(),
});

/** A controller as a process; each call tells of the time since the call before. */
function startHolder(natsUrl: string, stops: Stops): () => Promise<z.infer<typeof ToldSchema>> {
  const child = spawn(
    process.execPath,
    [
      ...process.execArgv.filter((arg) => arg.startsWith("--cpu-prof")),
      "--import",
      "tsx",
      join(packageRoot(), "test/bench/controller-holder.ts"),
      natsUrl,
    ],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  process.once("exit", () => child.kill("SIGKILL"));
  const ended = new Promise((resolve) => child.once("close", resolve));
  stops.push(async () => {
    child.stdin.end();
    await Promise.race([ended, delay(10_000)]);
    child.kill("SIGKILL");
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    child.stdin.write("\n");
    return ToldSchema.parse(JSON.parse(String((await lines.next()).value)));
  };
}

interface Row {
  readonly rollouts: number;
  readonly applyMs: number;
  readonly cpu: number;
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly commandMs: readonly number[];
  readonly backMs: readonly number[];
  readonly rssMb: number;
}

async function measure(rollouts: number, natsProgram: string, stops: Stops): Promise<Row> {
  const nats = await startNatsServer({ program: natsProgram });
  stops.push(() => nats.stop());
  const link = await connectNats({ url: nats.url, name: "bench", waitForServer: true });
  stops.push(link.close);
  await ensureStreams(link);
  const sidecars = startSidecars(link, flags.count("sidecars"));
  stops.push(sidecars.stop);
  const look = startHolder(nats.url, stops);
  await waitFor(async () => (await look()).isLeader, { deadlineMs: 30_000, what: "the controller to lead" });
  const send = (command: Partial<Command> & Pick<Command, "verb">) =>
    sendCommand(link, { format: 1, id: randomUUID(), who: { name: "bench", claimed: true }, ...command }, 30_000);
  const names = Array.from({ length: rollouts }, (_, index) => `r${index}`);
  const beganMs = performance.now();
  for (const name of names) {
    const strategy = { type: "canary" as const, stages: [{ share: "10%", minTime: "1h" }] };
    const { result, message } = await send({ verb: "apply", document: documentOf(name, { strategy }) });
    if (result !== "done") throw new Error(`${name}: ${message}`);
  }
  const applyMs = performance.now() - beganMs;
  note(`${rollouts} applied in ${Math.round(applyMs)} ms`);
  const allServed = () => Object.values(sidecars.live()).filter(({ shareBp }) => shareBp === 1_000).length === rollouts;
  await waitFor(allServed, { deadlineMs: 120_000, what: "all rollouts to be in their stage" });
  await delay(5_000);
  await look();
  const commandMs: number[] = [];
  for (const endMs = performance.now() + flags.count("seconds") * 1_000; performance.now() < endMs; ) {
    const sentMs = performance.now();
    await send({ verb: "resume", rollout: names[0] ?? "" });
    commandMs.push(performance.now() - sentMs);
    await delay(200);
  }
  const { cpu, delayMs, rssMb } = await look();
  const backMs: number[] = [];
  for (const name of names.slice(-flags.count("runs"))) {
    const off = sidecars.whenOff(name);
    const sentMs = performance.now();
    sidecars.fail(name);
    backMs.push((await off) - sentMs);
    await delay(100 + 400 * Math.random());
  }
  return { rollouts, applyMs, cpu, delayMs, commandMs, backMs, rssMb };
}

await runBench(1_200_000, async (stops) => {
  const find = { env: process.env, cacheDir: programCacheDir(), log: createLog({ name: "bench", level: "warn" }) };
  const nats = await findProgram("nats-server", find);
  const rows: Row[] = [];
  for (const rollouts of flags.list("rollouts").map(Number)) {
    const own: Stops = [];
    stops.push(async () => {
      for (const stop of own.splice(0).toReversed()) await stop();
    });
    rows.push(await measure(rollouts, nats.path, own));
    note(JSON.stringify(rows.at(-1)));
    for (const stop of own.splice(0).toReversed()) await stop();
  }
  const ms = (values: readonly number[]): string =>
    `${median(values).toFixed(0)} / ${quantile(values, 0.95).toFixed(0)} / ${Math.max(...values).toFixed(0)}`;
  printReport(
    {
      command: `npm run bench:controller -- ${Object.keys(defaults)
        .map((name) => `--${name} ${flags.text(name)}`)
        .join(" ")}`,
      versions: [`NATS ${nats.version}`, `Node ${process.versions.node}`],
      columns: [
        "rollouts",
        "all applied s",
        "CPU of a core",
        "loop delay p50 / p99 / max ms",
        "a command p50 / p95 / max ms",
        "failures → way back p50 / p95 / max ms",
        "RSS MB",
      ],
      rows: rows.map(({ rollouts, applyMs, cpu, delayMs, commandMs, backMs, rssMb }) => [
        String(rollouts),
        (applyMs / 1_000).toFixed(1),
        `${Math.round(cpu * 100)} %`,
        [delayMs.p50, delayMs.p99, delayMs.max].map((value) => value.toFixed(0)).join(" / "),
        ms(commandMs),
        ms(backMs),
        rssMb.toFixed(0),
      ]),
      remarks: [
        `All rollouts live at 10 %; ${flags.text("sidecars")} sidecars tell counts of each as often as real ones, every 4 to 5 s for a thousand. A command is a resume that is refused: it waits for what the controller does before it.`,
        `Load of the machine when this was printed: ${loadavg()
          .map((load) => load.toFixed(1))
          .join(", ")}.`,
      ],
      details: rows,
    },
    flags.output,
  );
});
