import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { LiveState } from "../contract/live.ts";
import type { NatsLink } from "../io/nats.ts";
import { readJudge, readLive } from "../io/store.ts";
import { PACE } from "./pace.ts";
import { demoRolloutText } from "./rollouts.ts";
import type { Screen } from "./screen.ts";
import type { ShareLog } from "./share-log.ts";
import type { Stack } from "./stack.ts";
import type { ShareChange } from "./tally.ts";
import type { SeenRequest, Traffic } from "./traffic.ts";

/** What one act needs. */
export interface ActOptions {
  readonly stack: Pick<Stack, "stable" | "canary" | "directory" | "serin" | "ended">;
  readonly link: NatsLink;
  readonly shares: Pick<ShareLog, "changes">;
  readonly traffic: Pick<Traffic, "pace" | "setHost">;
  /** Everything that users of this act see, filled while it runs. */
  readonly requests: readonly SeenRequest[];
  /** Requests that went on undecided since the last call. */
  failedOpen(): Promise<number>;
  busyPercent(): number;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

/** What happens in an act. */
export interface Script {
  readonly title: string;
  /** Name of the rollout, and so its salt. */
  readonly name: string;
  readonly host: string;
  /** When the canary begins to fail, and which part of its requests; never when absent. */
  readonly fault?: Fault;
  /** Requests that the act goes on for after its end. */
  readonly leastRequests: number;
}

interface Fault {
  readonly atShareBp: number;
  /** After the begin of the stage with that share, in milliseconds. */
  readonly afterMs: number;
  readonly part: number;
}

/** What was seen in an act, to be counted when the traffic is over. */
export interface PlayedAct {
  readonly name: string;
  readonly outcome: "promoted" | "rolledBack" | "timedOut";
  /** From the rollout's start to its end. */
  readonly seconds: number;
  readonly requests: readonly SeenRequest[];
  readonly changes: readonly ShareChange[];
  readonly failedOpen: number;
  readonly firstFailureToLastCanaryRequestMs?: number;
  /** From when stable ran the new version to the hand-over. */
  readonly handedOverSeconds?: number;
}

const LEAST_WARM_UP_MS = 3_000;
const MOST_WARM_UP_MS = 12_000;
const LONGEST_MS = 100_000;
const LOOK_MS = 200;
const SHOW_MS = 1_000;
/** Users are counted on after the end: the way back must hold, and so must the promotion. */
const AFTER_END_MS = 3_000;
/** And no longer than this, however few requests were sent. */
const MOST_AFTER_END_MS = 60_000;

/** Warms up, applies a rollout and follows it to its end; throws when a program ends or the signal comes. */
export async function runAct(script: Script, options: ActOptions): Promise<PlayedAct> {
  const { stack, requests, shares, screen } = options;
  const { name } = script;
  const draw = createPainter(script, options);
  stack.canary.reset();
  options.traffic.setHost(script.host);
  await warmUp(options, draw);
  const file = join(stack.directory, `${name}.yaml`);
  await writeFile(file, demoRolloutText(name, script.host, stack.stable.address));
  const applied = await stack.serin("apply", "-f", file);
  if (applied.code !== 0) throw new Error(`\`serin apply\` ended with exit code ${applied.code}: ${applied.error}`);
  screen.say(applied.out);
  const startedMs = Date.now();
  const { outcome, endedMs } = await followToEnd(script, { ...options, startedMs, draw });
  const { firstFailureMs, lastRequestMs } = stack.canary.seen;
  stack.canary.failPart(0);
  if (outcome === "timedOut") screen.say(`${name} did not end within ${LONGEST_MS / 1_000} s:\n${(await stack.serin("status", name)).out}`);
  return {
    name,
    outcome,
    seconds: Math.round((endedMs - startedMs) / 100) / 10,
    requests: [...requests],
    changes: shares.changes(name),
    failedOpen: await options.failedOpen(),
    ...(firstFailureMs !== undefined &&
      lastRequestMs !== undefined && { firstFailureToLastCanaryRequestMs: Math.round(lastRequestMs - firstFailureMs) }),
  };
}

type Draw = (live: LiveState | undefined) => Promise<void>;

/** Draws at most once a second. */
function createPainter({ title, name }: Script, { link, requests, screen, busyPercent }: ActOptions): Draw {
  let shownMs = 0;
  return async (live) => {
    const nowMs = Date.now();
    if (nowMs - shownMs < SHOW_MS) return;
    shownMs = nowMs;
    const judge = live === undefined ? undefined : await readJudge(link, name);
    screen.draw({ title, live, judge, requests, nowMs, busyPercent: busyPercent() });
  };
}

/** Cold programs take twice the time for a request: the pace grows from a low one before the first user can see a canary. */
async function warmUp({ traffic, signal }: ActOptions, draw: Draw): Promise<void> {
  const startedMs = Date.now();
  for (;;) {
    const forMs = Date.now() - startedMs;
    if (forMs >= MOST_WARM_UP_MS || (forMs >= LEAST_WARM_UP_MS && traffic.pace() >= PACE.least)) return;
    await draw(undefined);
    await delay(LOOK_MS, undefined, { signal });
  }
}

async function followToEnd(
  { name, fault, leastRequests }: Script,
  { stack, link, requests, signal, startedMs, draw }: ActOptions & { readonly startedMs: number; readonly draw: Draw },
): Promise<{ outcome: PlayedAct["outcome"]; endedMs: number }> {
  let end: { outcome: PlayedAct["outcome"]; endedMs: number } | undefined;
  for (;;) {
    const gone = stack.ended();
    if (gone !== undefined) throw new Error(`${gone.name} ended by itself:\n${gone.output()}`);
    const live = await readLive(link, name);
    if (live !== undefined) {
      if (fault !== undefined && isFaultDue(live, fault)) stack.canary.failPart(fault.part);
      const outcome = endOf(live);
      if (outcome !== undefined) end ??= { outcome, endedMs: Date.now() };
      await draw(live);
    }
    const nowMs = Date.now();
    if (end === undefined && nowMs - startedMs >= LONGEST_MS) return { outcome: "timedOut", endedMs: nowMs };
    if (end !== undefined && isLongEnoughAfter(nowMs - end.endedMs, requests.length >= leastRequests)) return end;
    await delay(LOOK_MS, undefined, { signal });
  }
}

const isLongEnoughAfter = (forMs: number, hasEnough: boolean): boolean => forMs >= (hasEnough ? AFTER_END_MS : MOST_AFTER_END_MS);

function isFaultDue({ plan, shareBp }: LiveState, { atShareBp, afterMs }: Fault): boolean {
  return plan.phase === "stage" && shareBp >= atShareBp && plan.begunAtMs !== null && Date.now() - plan.begunAtMs >= afterMs;
}

function endOf({ plan }: LiveState): "promoted" | "rolledBack" | undefined {
  return plan.phase === "promoted" || plan.phase === "rolledBack" ? plan.phase : undefined;
}
