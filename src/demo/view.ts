import type { JudgeRecord, LiveState } from "../contract/live.ts";
import { PRESETS } from "../contract/stages.ts";
import { decidedOf } from "./tally.ts";
import type { SeenRequest } from "./traffic.ts";

/** What the live view shows of one moment. */
export interface Picture {
  readonly title: string;
  /** Undefined before the rollout is applied. */
  readonly live: LiveState | undefined;
  readonly judge: JudgeRecord | undefined;
  /** All that users of this act saw, oldest answer first. */
  readonly requests: readonly SeenRequest[];
  readonly nowMs: number;
  /** Share of all cores that is busy, 0…100. */
  readonly busyPercent: number;
}

/** Canary's part in force and how much of each variant users saw. */
interface Seen {
  readonly shareBp: number | null;
  readonly stable: string;
  readonly canary: string;
  readonly count: number;
}

const LATELY_MS = 1_000;
/** More than are answered in that time at the demo's pace. */
const LATELY_MOST = 2_000;

/** The picture as a block, for a terminal that can draw over it. */
export function pictureBlock(picture: Picture): string[] {
  const { title, live, requests, busyPercent } = picture;
  const lately = seenLately(picture);
  const all = seenIn(requests);
  return [
    `${title}: ${live === undefined ? "warming up" : whereOf(live)}`,
    `  share        set ${percent(live?.shareBp)}, seen ${percent(lately.shareBp)}`,
    `  last second  stable ${lately.stable}, canary ${lately.canary}`,
    `  so far       stable ${all.stable}, canary ${all.canary}`,
    `  verdict      ${verdictOf(picture)}`,
    `  machine      ${Math.round(busyPercent)} % busy, ${lately.count} requests in the last second`,
  ];
}

/** The picture as one line, for a log. */
export function pictureLine(picture: Picture): string {
  const { title, live } = picture;
  const { shareBp, stable, canary } = seenLately(picture);
  if (live === undefined) return `${title}: warming up | last second: stable ${stable}`;
  const shares = `share set ${percent(live.shareBp)}, seen ${percent(shareBp)}`;
  return `${title}: ${whereOf(live)}: ${shares} | last second: stable ${stable}, canary ${canary} | ${verdictOf(picture)}`;
}

/** Basis points as people read them; a dash for none. */
export const percent = (bp: number | null | undefined): string => (bp === null || bp === undefined ? "–" : `${bp / 100} %`);

const whereOf = ({ plan }: LiveState): string =>
  plan.phase === "stage" ? `stage ${plan.stage + 1} of ${PRESETS.fast.length}` : plan.phase;

const seenLately = ({ requests, nowMs }: Picture): Seen =>
  seenIn(requests.slice(-LATELY_MOST).filter(({ endMs }) => endMs >= nowMs - LATELY_MS));

function seenIn(requests: readonly SeenRequest[]): Seen {
  const count = { stable: 0, canary: 0 };
  const failed = { stable: 0, canary: 0 };
  let rescued = 0;
  for (const request of requests) {
    const variant = decidedOf(request);
    if (variant === undefined) continue;
    count[variant] += 1;
    if (request.status >= 500) failed[variant] += 1;
    if (request.rescued) rescued += 1;
  }
  const text = (variant: "stable" | "canary"): string => `${count[variant]} (${failed[variant]} failed)`;
  const all = count.stable + count.canary;
  const shareBp = all === 0 ? null : Math.round((count.canary / all) * 10_000);
  const canary = rescued === 0 ? text("canary") : `${count.canary} (${failed.canary} failed, ${rescued} rescued)`;
  return { shareBp, stable: text("stable"), canary, count: requests.length };
}

/** The judge's word of this attempt, with its numbers. */
function verdictOf({ live, judge }: Picture): string {
  const verdict = judge !== undefined && judge.firstRun === live?.plan.firstRun ? judge.verdict : null;
  if (verdict === null) return "no verdict yet";
  return `${verdict.verdict}, safe to ${percent(verdict.safeShareBp)}: ${verdict.reason}`;
}
