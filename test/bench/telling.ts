/**
 * A process of `npm run bench:rules` that has counted for so many rollouts, tells it as a sidecar does, by the same modules, and measures
 * its own event loop meanwhile.
 */
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../src/io/clock.ts";
import { startHttp } from "../../src/io/http.ts";
import { createLog } from "../../src/io/log.ts";
import { connectNats } from "../../src/io/nats.ts";
import { startTelemetry } from "../../src/io/telemetry.ts";
import { startEvidence } from "../../src/sidecar/evidence.ts";
import { SidecarOptionsSchema } from "../../src/sidecar/options.ts";
import { createState } from "../../src/sidecar/sidecar-state.ts";
import type { TellingTask } from "./rules/telling-process.ts";

const log = createLog({ name: "bench", level: "warn" });
const source = { file: "none" };
const state = createState(SidecarOptionsSchema.parse({ id: "bench", extProc: "127.0.0.1:0", source }), { log, clock: systemClock });
const stalls = monitorEventLoopDelay({ resolution: 1 });

/** Requests of every side of every rollout, at several speeds. */
function count(rollouts: number): void {
  for (const latencyMs of [1, 12, 170]) {
    for (let index = 0; index < rollouts; index += 1) {
      for (const side of [
        { variant: "stable", control: false },
        { variant: "stable", control: true },
        { variant: "canary", control: false },
      ] as const) {
        const labels = { rollout: `service-${index}`, run: 1, ...side };
        state.cells.decided(labels, "share");
        state.cells.ended(labels, { class: "ok", latencyMs, isSession: false });
      }
    }
  }
}

async function longestStall(work: () => Promise<unknown>): Promise<number> {
  await delay(200);
  stalls.reset();
  stalls.enable();
  await work();
  await delay(50);
  stalls.disable();
  return stalls.max / 1_000_000;
}

async function run({ rollouts, natsUrl }: TellingTask): Promise<void> {
  count(rollouts);
  const { collect, slices, readiness } = state;
  const telemetry = await startTelemetry({ service: "bench", instance: "bench", collect, slices, log, otlp: false });
  const http = await startHttp({ address: "127.0.0.1:0", what: "metrics", flag: "--metrics" }, { metrics: telemetry.serve, readiness });
  const link = await connectNats({ url: natsUrl, name: "bench", waitForServer: false });
  const scrape = await longestStall(async () => {
    process.send?.({ url: `${http.url}/metrics` });
    await once(process, "message");
  });
  const evidence = await longestStall(() =>
    // What a round does, begun at once.
    startEvidence({ id: "bench", link, rules: state.rules, cells: state.cells, clock: systemClock, log, slices }).stop(),
  );
  process.send?.({ scrapeMs: scrape, evidenceMs: evidence });
}

process.once("message", (task: TellingTask) => {
  run(task).catch((error: unknown) => {
    log.error({ error }, "not measured");
    process.exit(1);
  });
});
