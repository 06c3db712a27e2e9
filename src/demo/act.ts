import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LiveState } from "../contract/live.ts";
import type { NatsLink } from "../io/nats.ts";
import { readJudge, readLive } from "../io/store.ts";
import { FAILED_OPEN_STAT } from "./envoy.ts";
import { demoRolloutText } from "./rollouts.ts";
import type { ShareLog } from "./share-log.ts";
import type { Stack } from "./stack.ts";
import { type ExpectedVariant, type Tally, tally } from "./tally.ts";
import type { SeenRequest } from "./traffic.ts";
import { actLine } from "./view.ts";

/** What one act needs. */
export interface ActOptions {
  readonly stack: Stack;
  readonly link: NatsLink;
  readonly shares: ShareLog;
  readonly expected: ExpectedVariant;
  /** Everything that users of this act saw, filled while it runs. */
  readonly requests: SeenRequest[];
  readonly signal: AbortSignal;
  /** Shows one line of what happens. */
  show(line: string): void;
}

/** How one act went; every figure was counted in it. */
export interface ActResult extends Tally {
  readonly name: string;
  readonly outcome: "promoted" | "rolledBack" | "timedOut";
  readonly seconds: number;
  readonly failedOpen: number;
  readonly firstFailureToLastCanaryRequestMs?: number;
}

interface Script {
  readonly name: string;
  readonly host: string;
  /** Share at which the canary begins to fail, and the part of its requests; never when absent. */
  readonly fault?: { readonly atShareBp: number; readonly afterMs: number; readonly part: number };
  /** Requests that the act goes on for after its end, so that users after it are counted too. */
  readonly leastRequests: number;
}

const LONGEST_MS = 110_000;
const LOOK_MS = 200;
const SHOW_MS = 1_000;
const AFTER_END_MS = 3_000;

/** Applies a rollout, watches it to its end and counts what users saw. */
export async function runAct({ name, host, fault, leastRequests }: Script, options: ActOptions): Promise<ActResult> {
  const { stack, link, shares, requests, signal, show } = options;
  const startedMs = Date.now();
  const failedOpenBefore = await stack.envoy.stat(FAILED_OPEN_STAT);
  stack.canary.reset();
  const file = join(stack.directory, `${name}.yaml`);
  await writeFile(file, demoRolloutText(name, host));
  const applied = await stack.serin("apply", "-f", file);
  if (applied.code !== 0) throw new Error(`apply ended with ${applied.code}: ${applied.error}`);
  show(applied.out);

  let outcome: ActResult["outcome"] = "timedOut";
  let endedMs: number | undefined;
  let shownMs = 0;
  while (!signal.aborted && Date.now() - startedMs < LONGEST_MS) {
    const live = await readLive(link, name);
    if (live !== undefined && Date.now() - shownMs >= SHOW_MS) {
      shownMs = Date.now();
      show(actLine(live, await readJudge(link, name), requests));
    }
    if (live !== undefined && fault !== undefined && isFaultDue(live, fault)) stack.canary.failPart(fault.part);
    const end = live === undefined ? undefined : endOf(live);
    if (end !== undefined) {
      outcome = end;
      endedMs ??= Date.now();
      if (Date.now() - endedMs >= AFTER_END_MS && requests.length >= leastRequests) break;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  const { firstFailureMs, lastRequestMs } = stack.canary.seen;
  stack.canary.failPart(0);
  const counted = tally([...requests], shares.changes(name), { salt: name, expected: options.expected });
  return {
    name,
    outcome,
    seconds: Math.round(((endedMs ?? Date.now()) - startedMs) / 100) / 10,
    ...counted,
    failedOpen: (await stack.envoy.stat(FAILED_OPEN_STAT)) - failedOpenBefore,
    ...(firstFailureMs === undefined || lastRequestMs === undefined
      ? {}
      : { firstFailureToLastCanaryRequestMs: Math.round(lastRequestMs - firstFailureMs) }),
  };
}

function isFaultDue({ plan, shareBp }: LiveState, { atShareBp, afterMs }: NonNullable<Script["fault"]>): boolean {
  return plan.phase === "stage" && shareBp >= atShareBp && plan.begunAtMs !== null && Date.now() - plan.begunAtMs >= afterMs;
}

function endOf({ plan }: LiveState): "promoted" | "rolledBack" | undefined {
  return plan.phase === "promoted" || plan.phase === "rolledBack" ? plan.phase : undefined;
}
