import type { JudgeRecord, LiveState } from "../contract/live.ts";
import { FORMAT } from "../contract/names.ts";
import { type Rollout, STABLE } from "../contract/rollout.ts";
import type { VerdictRecord } from "../contract/verdict.ts";
import { judge, startJudge } from "../core/judge/judge.ts";
import { policyOf } from "../core/judge/policy.ts";
import { type JudgeState, JudgeStateSchema } from "../core/judge/state.ts";
import { isJudged } from "../core/plan/judged.ts";
import { joinOwn, NO_OWN, type OwnNews, type OwnState, OwnStateSchema, takeOwn } from "./checks/own-evidence.ts";
import { type Cursors, CursorsSchema, closeRuns, type Delta, deltas, noCursors } from "./evidence-deltas.ts";
import type { Report } from "./evidence-points.ts";
import { addToTally, batchOf, emptyTally, shareSeenBp, type Tally } from "./tally.ts";

/** Everything that follows from the evidence of one rollout. Values only: the same reports give the same judging. */
export interface Judging {
  readonly firstRun: number;
  readonly cursors: Cursors;
  readonly state: JudgeState;
  readonly tally: Tally;
  readonly own: OwnState;
  readonly verdict: VerdictRecord | null;
}

/** A report with the sidecar that the subject names; the body could claim any. */
export type SourcedReport = Readonly<{ sidecar: string; report: Report }>;

/** The largest record that is written: NATS refuses a message above 1 MiB by default. */
const MAX_RECORD_BYTES = 512 * 1_024;
/** Runs whose late outcomes still count when the record must be made smaller. */
const OPEN_RUNS = 3;

/** Judging at the begin of an attempt, before any evidence. */
export const startJudging = (firstRun: number, nowMs: number): Judging => ({
  firstRun,
  cursors: noCursors(firstRun),
  state: startJudge(nowMs),
  tally: emptyTally(firstRun),
  own: NO_OWN,
  verdict: null,
});

/** Goes on from a stored record; undefined when it is of another attempt or another version's judge. */
export function resumeJudging(record: JudgeRecord, firstRun: number): Judging | undefined {
  const state = JudgeStateSchema.safeParse(record.judge);
  const cursors = CursorsSchema.safeParse(record.cursors);
  if (record.firstRun !== firstRun || !state.success || !cursors.success) return undefined;
  const tally = { ...emptyTally(firstRun), totals: record.totals };
  const own = OwnStateSchema.safeParse(record.own);
  return { firstRun, cursors: cursors.data, state: state.data, tally, own: own.success ? own.data : NO_OWN, verdict: record.verdict };
}

/** Counts new evidence and judges it at once. A rollout that has ended, or is on its way back, is counted and keeps its verdict. */
export function judgeReports(
  judging: Judging,
  { rollout, plan, own }: Readonly<{ rollout: Rollout; plan: LiveState["plan"]; own?: OwnNews | undefined }>,
  reports: readonly SourcedReport[],
  nowMs: number,
): Judging {
  let { cursors } = judging;
  const found: Delta[] = [];
  for (const { sidecar, report } of reports) {
    const mine = report.points.filter((point) => point.rollout === rollout.name);
    if (mine.length === 0) continue;
    const counted = deltas(cursors, sidecar, report.sequence, mine);
    cursors = counted.cursors;
    found.push(...counted.deltas);
  }
  const isNew = own?.isNew === true;
  if (cursors === judging.cursors && !isNew) return judging;
  const tally = addToTally(judging.tally, found, plan.run);
  if ((found.length === 0 && !isNew) || !isJudged(plan)) return { ...judging, cursors, tally };
  const batch = batchOf(found, plan.run, nowMs);
  const taken = takeOwn(judging.own, { rollout, own }, batch);
  const { state, record } = judge(
    policyOf(rollout, plan),
    judging.state,
    taken.counts === undefined ? batch : { ...batch, own: taken.counts },
  );
  const missing = missingText(rollout, tally.seen.elsewhere);
  const said = missing === undefined ? record : { ...record, reason: `${record.reason}; ${missing}` };
  const joined = joinOwn(said, taken.state, { rollout, own });
  // Without outcomes a verdict gets no younger, but for one that ends it: own checks alone let nothing grow.
  const isOld = found.length === 0 && joined.verdict !== "rollback";
  const verdict = isOld ? { ...joined, atMs: judging.verdict?.atMs ?? joined.atMs } : joined;
  return { ...judging, cursors, tally, state, own: taken.state, verdict };
}

/** Users get stable, and no outcome tells of it: whoever looks at the verdict should know why nothing comes. */
function missingText({ variants }: Rollout, count: number): string | undefined {
  if (count === 0) return undefined;
  const names = Object.entries(variants).flatMap(([name, { cluster }]) => (name === STABLE || cluster === undefined ? [] : [cluster]));
  const [what, group] = names.length === 1 ? ["the cluster", "the priority group"] : ["the clusters", "the priority groups"];
  const decisions = count === 1 ? "1 canary decision was" : `${count} canary decisions were`;
  return `${decisions} answered by another cluster: does Envoy have ${what} and ${group} ${names.map((name) => `\`${name}\``).join(", ")}?`;
}

/** The stored form, and the judging that it describes: made smaller when it would not fit a message. */
export function recordOf(rollout: string, judging: Judging, run: number): Readonly<{ judging: Judging; text: string }> {
  const text = textOf(rollout, judging);
  if (text.length <= MAX_RECORD_BYTES) return { judging, text };
  const smaller = { ...judging, cursors: closeRuns(judging.cursors, run - OPEN_RUNS + 1) };
  return { judging: smaller, text: textOf(rollout, smaller) };
}

function textOf(rollout: string, { firstRun, state, cursors, tally, own, verdict }: Judging): string {
  const { totals } = tally;
  const record: JudgeRecord = {
    format: FORMAT,
    rollout,
    firstRun,
    judge: state,
    cursors,
    own,
    totals,
    shareSeenBp: shareSeenBp(tally),
    verdict,
  };
  return JSON.stringify(record);
}
