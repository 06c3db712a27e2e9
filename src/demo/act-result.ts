import type { PlayedAct } from "./act.ts";
import { type ExpectedVariant, type Tally, tally } from "./tally.ts";
import { percent } from "./view.ts";

/** How one act went; every figure was counted in it. */
export interface ActResult extends Tally, Pick<PlayedAct, "name" | "outcome" | "seconds" | "failedOpen" | "handedOverSeconds"> {
  /** From the first failure that a user saw to the last request that reached the canary. */
  readonly firstFailureToLastCanaryRequestMs?: number;
}

/** Counts an act. */
export function resultOf({ requests, changes, ...act }: PlayedAct, expected: ExpectedVariant): ActResult {
  return { ...act, ...tally(requests, changes, { salt: act.name, expected }) };
}

/** An act for people. */
export function summaryOf(act: ActResult): string {
  const shares = act.stages.map(({ shareSet, shareSeen }) => `${percent(shareSet)} (seen ${percent(shareSeen)})`).join(" → ");
  const last = act.firstFailureToLastCanaryRequestMs;
  return [
    `${act.name}: ${act.outcome} after ${act.seconds} s; ${shares}`,
    `  ${act.requests} requests, ${act.failedRequests} failed, ${act.rescued} rescued, ${act.misrouted} misrouted, ${act.movedBack} users moved back, ${act.failedOpen} failed open`,
    ...(act.handedOverSeconds === undefined
      ? []
      : [`  handed over ${act.handedOverSeconds} s after stable ran the new version, by what it shows`]),
    ...(last === undefined ? [] : [`  ${last} ms from the first failure to the last request on the canary`]),
  ].join("\n");
}
