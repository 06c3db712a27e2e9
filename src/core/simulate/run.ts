import { courseOf, rampOf, stagesOf } from "../../contract/course.ts";
import { LATENCY_BOUNDS_MS } from "../../contract/names.ts";
import type { Rollout } from "../../contract/rollout.ts";
import { isShadowed } from "../../contract/shadow.ts";
import type { EvidenceBatch, Outcomes } from "../judge/types.ts";
import { type Replay, startReplay, stepBatch } from "../replay/replay.ts";
import type { Fault } from "./faults.ts";
import { type Behaviour, batchAt, behaviourOf, type Moment, slowPart } from "./world.ts";

/** The service that a rollout is for, while nothing is wrong with it. */
export interface Service {
  readonly requestsPerSecond: number;
  /** Part of the requests that fails, 0…1. */
  readonly failing: number;
  /** Median time of a request, in milliseconds. */
  readonly medianMs: number;
}

/** How one simulated rollout went. Times count from its begin, in milliseconds. */
export interface RunResult {
  /** `held`: no end by itself, so a person has to decide. */
  readonly outcome: "promoted" | "rolledBack" | "held";
  readonly atMs: number;
  /** Requests of the canary since the fault showed, and those of them that the fault made fail or slow. */
  readonly exposed: number;
  readonly harmed: number;
  /** Each share that was set, in basis points, and when. */
  readonly shares: readonly Readonly<{ atMs: number; shareBp: number }>[];
}

const MINUTE = 60_000;
/** While a fault shows counts are looked at every second, so that its harm is not overstated; a controller looks at each as it comes. */
const CLOSE_MS = 1_000;
const FAR_MS = 5_000;
/** A judge takes no time before the year 1970. */
const BEGIN_MS = 1_000_000_000;

/** How long a rollout is followed: well beyond its shortest time, and a ramp until it pauses. */
export function horizonMs({ strategy }: Rollout): number {
  const ramp = rampOf(strategy);
  const shadowMs = 2 * courseOf(strategy).shadow.minTime;
  if (ramp !== undefined) return shadowMs + ramp.maxTimeMs + ramp.holdback.timeMs + 10 * MINUTE;
  return shadowMs + stagesOf(strategy).reduce((sum, { minTime }) => sum + 2 * minTime, 60 * MINUTE);
}

/** One rollout from its begin to its end, through the real judge and plan. `random` gives numbers in [0, 1). */
export function simulateRun(rollout: Rollout, service: Service, fault: Fault | undefined, random: () => number): RunResult {
  const { requestsPerSecond } = service;
  const failing = fault?.failing?.stable ?? service.failing;
  const stable = behaviourOf(failing, service.medianMs);
  const bad = behaviourOf(fault?.failing?.canary ?? failing, service.medianMs * (fault?.slower ?? 1));
  const showsMs = fault?.fromMs ?? Number.POSITIVE_INFINITY;
  const lastMs = horizonMs(rollout);
  let replay = startReplay(rollout, {
    boundsMs: LATENCY_BOUNDS_MS,
    clock: { zeroMs: BEGIN_MS, tickMs: CLOSE_MS },
    sinceMs: BEGIN_MS,
    beginMs: BEGIN_MS,
    history: [],
  });
  let [atMs, exposed, harmed] = [0, 0, 0];
  const shares = [{ atMs, shareBp: replay.shareBp }];
  while (outcomeOf(replay) === undefined && atMs < lastMs) {
    const isBad = atMs >= showsMs;
    const tickMs = isBad ? CLOSE_MS : FAR_MS;
    atMs += tickMs;
    const requests = (requestsPerSecond * tickMs) / 1_000;
    const canary = isBad ? bad : stable;
    const { run } = replay.plan;
    const moment = { nowMs: BEGIN_MS + atMs, run, shareBp: replay.shareBp, requests, stable, canary };
    const inShadow = isShadowed(rollout, replay.plan);
    const batch = inShadow ? copiesAt(random, moment, rollout) : batchAt(random, moment);
    // A shadow harms nobody.
    if (isBad && !inShadow) {
      exposed += batch.canary.requests;
      harmed += harmIn(batch.canary, stable, bad);
    }
    replay = stepBatch(replay, batch);
    if (replay.shareBp !== shares.at(-1)?.shareBp) shares.push({ atMs, shareBp: replay.shareBp });
  }
  return { outcome: outcomeOf(replay) ?? "held", atMs, exposed, harmed, shares };
}

/** What a shadow answers, and stable to the same requests: of one half of twice as many each. Users and halves are not known. */
function copiesAt(random: () => number, moment: Moment, { mirror }: Rollout): EvidenceBatch {
  const requests = (2 * moment.requests * Number(mirror?.share)) / 10_000;
  const { halves: _halves, split: _split, stable, canary, ...batch } = batchAt(random, { ...moment, requests, shareBp: 5_000 });
  const anonymous = ({ users: _users, ...outcomes }: Outcomes): Outcomes => outcomes;
  return { ...batch, stable: anonymous(stable), canary: anonymous(canary) };
}

function outcomeOf({ plan }: Replay): RunResult["outcome"] | undefined {
  const { phase } = plan;
  if (phase === "promoted") return "promoted";
  if (phase === "rolledBack" || (phase === "rollingBack" && plan.left === undefined)) return "rolledBack";
  return phase === "paused" ? "held" : undefined;
}

/** Of the failed requests those that stable would not have failed, and of all those that are slower than nearly any of stable's. */
const harmIn = ({ failed, requests }: { failed: number; requests: number }, stable: Behaviour, bad: Behaviour): number =>
  failed * (1 - stable.failing / bad.failing) + requests * slowPart(stable, bad);
