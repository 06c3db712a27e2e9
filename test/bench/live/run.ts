import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import type { ShareLog } from "../../../src/demo/share-log.ts";
import type { Stack } from "../../../src/demo/stack.ts";
import { type SeenRequest, sendRequest, startTraffic } from "../../../src/demo/traffic.ts";
import { plainBucket } from "../../support/plain-bucketing.ts";
import { createFates } from "./fates.ts";
import type { LiveScenario } from "./scenarios.ts";

/** What all runs share. */
export interface Stand {
  readonly stack: Stack;
  readonly shares: Pick<ShareLog, "changes">;
  readonly perSecond: number;
  /** Seconds of traffic to stable, with the rollout at rest, before the canary comes. */
  readonly historyS: number;
}

/** How one rollout went; times in milliseconds, null where there was no such moment. */
export interface LiveRun {
  readonly scenario: string;
  readonly outcome: "rolledBack" | "goesOn";
  readonly isAsWanted: boolean;
  /** From the canary's first harmed request: to the order to roll back, and to the last request that reached the canary. */
  readonly decidedMs: number | null;
  readonly lastRequestMs: number | null;
  /** At the canary's door. */
  readonly onCanary: number;
  readonly harmed: number;
  /** Requests that their users saw fail, broken clients' apart. */
  readonly seenFailed: number;
  readonly largestShareBp: number;
  readonly reason: string;
}

const LOOK_MS = 50;
/** What is on its way when the share goes to 0 arrives within these. */
const SETTLE_MS = 2_000;
const USERS = 4_000;
const FULL = 2 ** 32;
/** Broken clients are on the canary from the first shares on. */
const EARLY = 0.002;
const BROKEN_EVERY_MS = 500;

const rolloutOf = (name: string): RolloutInput => ({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name,
  match: { hosts: [`${name}.example`] },
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "stable" }, canary: { cluster: "canary" } },
  strategy: { type: "canary", ramp: "auto" },
});

/** Users whose bucket is so low that a small share takes them. */
function earlyUsers(salt: string, count: number): string[] {
  const found: string[] = [];
  for (let index = 0; found.length < count; index += 1) {
    const user = `broken-${index}`;
    if (plainBucket(salt, user) < EARLY * FULL) found.push(user);
  }
  return found;
}

/** Plays one rollout from its first canary request to its end, or for as long as it is watched. */
export async function playLive(scenario: LiveScenario, name: string, stand: Stand): Promise<LiveRun> {
  const { stack, shares, perSecond, historyS } = stand;
  const host = `${name}.example`;
  const broken = earlyUsers(name, scenario.brokenClients);
  const [stable, canary] = [createFates(new Set(broken)), createFates(new Set(broken))];
  stack.stable.decide(stable.fateOf);
  stack.canary.decide(canary.fateOf);
  const seen: SeenRequest[] = [];
  const { port } = stack.envoy;
  const traffic = startTraffic({ port, host, path: "/", users: USERS, perSecond, onRequest: (request) => seen.push(request) });
  const insist = setInterval(() => {
    for (const user of broken) void sendRequest({ port, host, path: "/", user });
  }, BROKEN_EVERY_MS);
  try {
    await rest(stack, name, historyS);
    canary.behave(scenario.canary);
    const startedMs = Date.now();
    await serin(stack, "retry", name);
    await follow(scenario, { stand, name, startedMs, behave: (next) => [stable, canary].forEach(({ behave }) => behave(next)) });
    await delay(SETTLE_MS);
    const changes = shares.changes(name).filter(({ issuedMs }) => issuedMs >= startedMs);
    const back = changes.find(({ isRollback }) => isRollback);
    const { firstHarmMs, lastRequestMs, requests, harmed } = canary.counted;
    const since = (ms: number | undefined): number | null => (firstHarmMs === undefined || ms === undefined ? null : ms - firstHarmMs);
    const outcome = back === undefined ? "goesOn" : "rolledBack";
    return {
      scenario: scenario.id,
      outcome,
      isAsWanted: outcome === scenario.wanted,
      decidedMs: back === undefined ? null : since(back.issuedMs),
      lastRequestMs: back === undefined ? null : since(lastRequestMs),
      onCanary: requests,
      harmed,
      seenFailed: seen.filter(({ status, startMs }) => startMs >= startedMs && (status === 0 || status >= 500)).length,
      largestShareBp: Math.max(0, ...changes.map(({ shareBp }) => shareBp)),
      reason: await reasonOf(stack, name),
    };
  } finally {
    clearInterval(insist);
    await traffic.stop();
    // One that still goes on must not share the machine with the next.
    await stack.serin("abort", name, "--reason", "the run is over");
  }
}

async function serin(stack: Stack, ...args: string[]): Promise<void> {
  const { code, error } = await stack.serin(...args);
  if (code !== 0) throw new Error(`\`serin ${args.join(" ")}\` ended with exit code ${code}: ${error}`);
}

/** The service as it is between two releases: the rollout is known, everyone is on stable, and users who fail are counted. */
async function rest(stack: Stack, name: string, historyS: number): Promise<void> {
  const file = join(stack.directory, `${name}.yaml`);
  await writeFile(file, stringify(rolloutOf(name)));
  await serin(stack, "apply", "-f", file);
  await serin(stack, "abort", name, "--reason", "not yet");
  await delay(historyS * 1_000);
}

interface Followed {
  readonly stand: Stand;
  readonly name: string;
  readonly startedMs: number;
  behave(next: LiveScenario["canary"]): void;
}

/** Waits for the way back, or for as long as the rollout is watched; an outage comes and goes meanwhile. */
async function follow({ watchS, outage }: LiveScenario, { stand, name, startedMs, behave }: Followed): Promise<void> {
  let phase: "before" | "outage" | "after" = "before";
  for (;;) {
    const gone = stand.stack.ended();
    if (gone !== undefined) throw new Error(`${gone.name} ended by itself:\n${gone.output()}`);
    const forS = (Date.now() - startedMs) / 1_000;
    if (outage !== undefined && phase === "before" && forS >= outage.afterS) {
      phase = "outage";
      behave(outage.both);
    }
    if (outage !== undefined && phase === "outage" && forS >= outage.afterS + outage.forS) {
      phase = "after";
      behave({});
    }
    const isBack = stand.shares.changes(name).some(({ isRollback, issuedMs }) => isRollback && issuedMs >= startedMs);
    if (isBack || forS >= watchS) return;
    await delay(LOOK_MS);
  }
}

/** What the judge says at the end. */
async function reasonOf(stack: Stack, name: string): Promise<string> {
  const { out } = await stack.serin("status", name);
  return out.split("\n").find((line) => line.includes("reason") || line.includes(" against ")) ?? "";
}
