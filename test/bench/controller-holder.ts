/** Runs one controller in a process of its own, and tells how its event loop fares: a line of JSON for each line on stdin. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { systemClock } from "../../src/io/clock.ts";
import { createLog } from "../../src/io/log.ts";

const [nats = "", id = "", build = ""] = process.argv.slice(2);
/** As it is shipped: TypeScript that runs directly pays for the name of each function it makes. */
const built: typeof import("../../src/controller/controller.ts") = await import(pathToFileURL(`${build}/controller/controller.js`).href);

const log = createLog({ name: id, level: "warn" });
const controller = await built.startController({ id, nats }, { log, clock: systemClock });
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
let cpu = process.cpuUsage();
let sinceMs = performance.now();
for await (const _ of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage(cpu);
  const elapsedMs = performance.now() - sinceMs;
  const told = {
    isLeader: controller.isLeader(),
    // What monitorEventLoopDelay calls a delay holds its own resolution.
    delayMs: { p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 },
    cpu: (user + system) / 1_000 / elapsedMs,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
  };
  process.stdout.write(`${JSON.stringify(told)}\n`);
  delay.reset();
  cpu = process.cpuUsage();
  sinceMs = performance.now();
}
await controller.stop();
