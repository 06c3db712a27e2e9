/**
 * Runs sidecars in a process of their own, real but for Envoy: what requests would count is counted at once. A line of JSON for each line on
 * stdin, where `fail NAME` lets the canary of a rollout fail until all sidecars have it off, and any other line asks how things stand.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { createInterface } from "node:readline";
import { systemClock } from "../../src/io/clock.ts";
import { createLog } from "../../src/io/log.ts";
import { startNatsSide } from "../../src/sidecar/nats-side.ts";
import { SidecarOptionsSchema } from "../../src/sidecar/options.ts";
import { createState, type SidecarState } from "../../src/sidecar/sidecar-state.ts";
import { entry } from "../support/entry-facts.ts";

const [nats = "", count = "", rate = ""] = process.argv.slice(2);
/** Requests of each rollout at each sidecar are counted so often, some rollouts at a time. */
const ROUND_MS = 1_000;
const STEPS = 20;
/** Failing requests of a dead canary, at all sidecars together. */
const FAILURES_A_SECOND = 5;

const log = createLog({ name: "sidecars", level: "error" });

function startOne(id: string): SidecarState {
  const settings = SidecarOptionsSchema.parse({ id, extProc: "127.0.0.1:0", metrics: "off", source: { nats } });
  const state = createState(settings, { log, clock: systemClock });
  const killOrders = { hear: () => undefined, stop: async () => undefined };
  const side = startNatsSide(
    { url: nats },
    { ...state, settings, log, clock: systemClock, disk: undefined, killOrders, onTold: () => undefined },
  );
  state.onCanaryFailure(side.urgent);
  setInterval(() => {
    const standing = state.standing();
    state.rules.setUnwatched(standing === "unwatched");
    side.standingIs(standing);
  }, 250);
  return state;
}

const states = Array.from({ length: Number(count) }, (_, index) => startOne(`side-${index}`));
const latencyMs = (): number => Math.exp(3.7 + 0.5 * (Math.random() + Math.random() + Math.random() - 1.5));

function request(
  { cells, accessLog }: SidecarState,
  rollout: string,
  side: { run: number; variant: string; control: boolean },
  isFailed = false,
): void {
  const labels = { rollout, ...side };
  const bucket = Math.floor(Math.random() * 2 ** 32);
  cells.decided(labels, "share");
  const ended = { bucket, isOddHost: Math.random() < 0.5, latencyMs: latencyMs(), isSession: false } as const;
  accessLog.ended({ kind: "outcome", ...labels, ...ended, class: isFailed ? "failed" : "ok" }, entry());
}

/** What became of a dead canary. */
interface Dead {
  readonly sinceMs: number;
  harmed: number;
  readonly off: Set<SidecarState>;
}
const dead = new Map<string, Dead>();
const tell = (told: object): void => void process.stdout.write(`${JSON.stringify(told)}\n`);

let step = 0;
setInterval(() => {
  step += 1;
  for (const state of states) {
    let index = 0;
    for (const [name, { live }] of state.rules.compiled().rollouts) {
      index += 1;
      if (index % STEPS !== step % STEPS) continue;
      const canary = dead.has(name) || live.off ? 0 : live.shareBp / 10_000;
      for (let each = 0; each < Number(rate); each += 1) {
        const place = Math.random();
        if (place < canary) request(state, name, { run: live.run, variant: "canary", control: false });
        else request(state, name, { run: live.run, variant: "stable", control: place > 1 - canary });
      }
    }
  }
}, ROUND_MS / STEPS);

let turn = 0;
setInterval(() => {
  for (const [name, each] of dead) {
    turn += 1;
    const state = states[turn % states.length];
    const live = state?.rules.compiled().rollouts.get(name)?.live;
    if (state === undefined || live === undefined || live.off) continue;
    each.harmed += 1;
    request(state, name, { run: live.run, variant: "canary", control: false }, true);
  }
}, 1_000 / FAILURES_A_SECOND);

for (const state of states)
  state.rules.onChange(() => {
    for (const [name, { sinceMs, harmed, off }] of dead) {
      if (state.rules.compiled().rollouts.get(name)?.live.off === true) off.add(state);
      if (off.size < states.length) continue;
      dead.delete(name);
      tell({ backMs: performance.now() - sinceMs, harmed });
    }
  });

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
let cpu = process.cpuUsage();
let atMs = performance.now();
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, name = ""] = line.split(" ");
  if (verb === "fail") {
    dead.set(name, { sinceMs: performance.now(), harmed: 0, off: new Set() });
    continue;
  }
  const live = Math.min(
    ...states.map(
      ({ rules }) => [...rules.compiled().rollouts.values()].filter((rollout) => rollout.live.shareBp > 0 && !rollout.live.off).length,
    ),
  );
  const { user, system } = process.cpuUsage(cpu);
  const delayMs = { p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
  tell({ live, cpu: (user + system) / 1_000 / (performance.now() - atMs), delayMs });
  delay.reset();
  cpu = process.cpuUsage();
  atMs = performance.now();
}
process.exit(0);
