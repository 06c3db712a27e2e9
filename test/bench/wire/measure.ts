import { setTimeout as delay } from "node:timers/promises";
import { FAILED_OPEN_STAT, type RunningEnvoy } from "../../../src/demo/envoy.ts";
import type { Stops } from "./bench.ts";
import type { CpuClock } from "./cpu.ts";
import { type LoadOptions, type LoadResult, runLoad } from "./load.ts";
import type { RunningServer } from "./servers.ts";
import type { Stand } from "./stand.ts";

/** A server with an Envoy of its own. */
export interface Subject {
  readonly title: string;
  readonly server: RunningServer;
  readonly envoy: RunningEnvoy;
}

/** One run against one subject; processor time in microseconds per request. */
export interface Measurement extends LoadResult {
  readonly serverUs: number;
  readonly envoyUs: number;
  readonly failedOpen: number;
}

/** What measuring needs besides the subject. */
export interface Gauge {
  readonly stand: Stand;
  readonly cpu: CpuClock;
  readonly stops: Stops;
}

/** Envoy sends its last outcomes within 0.2 s; what they cost belongs to the run. */
const OUTCOMES_MS = 400;

/** Puts load on a subject for some seconds. */
export async function measure(
  { server, envoy }: Subject,
  load: Pick<LoadOptions, "connections" | "seconds" | "header">,
  { stand, cpu, stops }: Gauge,
): Promise<Measurement> {
  const read = async () => ({
    server: await cpu(server.process.pid),
    envoy: await cpu(envoy.pid),
    failedOpen: await envoy.stat(FAILED_OPEN_STAT),
  });
  const before = await read();
  const result = await runLoad(stand.go, { ...load, port: envoy.port, rulesPath: stand.rulesPath }, stops);
  await delay(OUTCOMES_MS);
  const after = await read();
  const perRequestUs = (seconds: number): number => (seconds * 1e6) / Math.max(1, result.requests);
  return {
    ...result,
    serverUs: perRequestUs(after.server - before.server),
    envoyUs: perRequestUs(after.envoy - before.envoy),
    failedOpen: after.failedOpen - before.failedOpen,
  };
}

/** Calls the measurement for each subject in each round; every other round goes backwards, so that no one is always first. */
export async function inPairedRounds<One, Found>(
  subjects: readonly One[],
  rounds: number,
  measureOne: (subject: One, round: number) => Promise<Found>,
): Promise<Map<One, Found[]>> {
  const found = new Map<One, Found[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? subjects : subjects.toReversed();
    for (const subject of order) found.get(subject)?.push(await measureOne(subject, round));
  }
  return found;
}
