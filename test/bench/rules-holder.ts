/**
 * A process of `npm run bench:rules` that does with rules what a sidecar does, by the same modules, and measures its own event loop.
 * It is told what to read by its parent.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../src/io/clock.ts";
import { createLog } from "../../src/io/log.ts";
import { connectNats } from "../../src/io/nats.ts";
import { createBeat } from "../../src/sidecar/beat.ts";
import { createCurrentRules } from "../../src/sidecar/current-rules.ts";
import { startFileSource } from "../../src/sidecar/file-source.ts";
import { startNatsSource } from "../../src/sidecar/nats-source.ts";
import { createRulesDisk } from "../../src/sidecar/rules-disk.ts";
import type { HolderSource, HolderTask, Measured } from "./rules/holder-process.ts";

const rules = createCurrentRules(systemClock.nowMs);
const log = createLog({ name: "bench", level: "warn" });
const stalls = monitorEventLoopDelay({ resolution: 1 });
const STEP_MS = 2;

async function follow(source: HolderSource): Promise<void> {
  if (source.kind === "file") {
    await startFileSource(source.path, { rules, log });
    return;
  }
  const link = await connectNats({ url: source.url, name: "bench", waitForServer: false });
  const disk = createRulesDisk(source.stateDir);
  const onError = (error: unknown): void => log.error({ error }, "rules cannot be kept on disk");
  const parts = { rules, log, beat: createBeat(systemClock), onNewTerm: () => undefined, onKill: () => undefined };
  const nats = startNatsSource(link, { ...parts, loaded: disk.loaded, keep: (kept) => disk.save(kept).catch(onError) });
  await nats.repair();
}

async function untilRevision(revision: number): Promise<void> {
  while (rules.ruleSet().revision !== revision || rules.awaited().segments.length > 0) await delay(STEP_MS);
  // What follows the swap counts as well: keeping the rules on disk.
  await delay(200);
}

/** The loop's longest stall until a revision is in force; the resolution of 1 ms is part of each figure. */
async function measure(revision: number, begin: () => Promise<void>): Promise<Measured> {
  await delay(100);
  stalls.reset();
  stalls.enable();
  const beginMs = performance.now();
  let tookMs = 0;
  const stop = rules.onChange(() => {
    tookMs = performance.now() - beginMs;
  });
  await begin();
  await untilRevision(revision);
  stop();
  stalls.disable();
  return { revision, longestStallMs: stalls.max / 1_000_000, tookMs };
}

const answer = (measured: Measured): void => void process.send?.(measured);

process.on("message", (task: HolderTask) => {
  const begin = (): Promise<void> => {
    if (task.source !== undefined) return follow(task.source);
    // The parent changes the rules when it hears that this process watches.
    process.send?.({ isReady: true });
    return Promise.resolve();
  };
  measure(task.revision, begin).then(answer, (error: unknown) => {
    log.error({ error }, "not measured");
    process.exit(1);
  });
});
