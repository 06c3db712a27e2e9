import type { JudgeRecord, LiveState } from "../contract/live.ts";
import { FORMAT } from "../contract/names.ts";
import { type Rollout, STABLE } from "../contract/rollout.ts";
import { isShadowed } from "../contract/shadow.ts";
import type { VariantsTotals } from "../contract/variant-report.ts";
import type { VerdictRecord } from "../contract/verdict.ts";
import { earlier } from "../core/judge/clock.ts";
import { judge, startJudge } from "../core/judge/judge.ts";
import { policyOf } from "../core/judge/policy.ts";
import { knowingTimes } from "../core/judge/shadow.ts";
import { type JudgeState, JudgeStateSchema } from "../core/judge/state.ts";
import type { EvidenceBatch, JudgePolicy } from "../core/judge/types.ts";
import { isJudged } from "../core/plan/judged.ts";
import { joinOwn, NO_OWN, type OwnNews, type OwnState, OwnStateSchema, takeOwn } from "./checks/own-evidence.ts";
import { type Cursors, CursorsSchema, closeRuns, type Delta, deltas, noCursors } from "./evidence-deltas.ts";
import type { Report } from "./evidence-points.ts";
import { apart, shadowBatch } from "./shadow-evidence.ts";
import { addToTally, batchOf, emptyTally, shareSeenBp, type Tally } from "./tally.ts";
import { type JudgedUsers, NOBODY_FAILED, type ToldUsers, ToldUsersSchema, withUsers } from "./told-users.ts";
import { addOwnTo, addToVariants } from "./variant-tally.ts";

/** Everything that follows from the evidence of one rollout. Values only: the same reports give the same judging. */
export interface Judging {
  readonly firstRun: number;
  readonly cursors: Cursors;
  readonly state: JudgeState;
  readonly tally: Tally;
  /** Sums of each variant. */
  readonly variants: VariantsTotals;
  /** Failing users that the judge was told of; null while no request of a user with a key is known, and so nothing of users. */
  readonly told: ToldUsers | null;
  readonly own: OwnState;
  readonly verdict: VerdictRecord | null;
  /** The last judgement of this leader, with all that the judge was given. */
  readonly judged: Judged | null;
}

/** A batch with what it was judged by and from, and what came of it. */
export interface Judged {
  readonly policy: JudgePolicy;
  readonly before: JudgeState;
  readonly batch: EvidenceBatch;
  readonly record: VerdictRecord;
}

/** A verdict older than this no longer moves anything: sidecars report changed series at least every five seconds. */
const VERDICT_FRESH_MS = 10_000;

/** A verdict that may move the run in force; undefined for an older one. */
export const freshVerdict = (verdict: VerdictRecord | null, run: number, nowMs: number): VerdictRecord | undefined =>
  verdict !== null && verdict.run === run && nowMs - verdict.atMs <= VERDICT_FRESH_MS ? verdict : undefined;

/** A report with the sidecar that the subject names; the body could claim any. */
export type SourcedReport = Readonly<{ sidecar: string; report: Report }>;

/** In place of a sidecar's id, before the name of one that was scraped; no id begins so. */
export const SCRAPED = "prometheus/";

const isScraped = ({ sources }: Cursors): boolean => Object.keys(sources).some((sidecar) => sidecar.startsWith(SCRAPED));

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
  variants: {},
  told: null,
  own: NO_OWN,
  verdict: null,
  judged: null,
});

/**
 * Goes on from a stored record; undefined when it is of another attempt or another version's judge. One that counted from another source
 * is of no use either: whoever was scraped goes by another name, and all would count twice.
 */
export function resumeJudging(record: JudgeRecord, firstRun: number, source?: "prometheus"): Judging | undefined {
  const state = JudgeStateSchema.safeParse(record.judge);
  const cursors = CursorsSchema.safeParse(record.cursors);
  const told = ToldUsersSchema.nullable().safeParse(record.users ?? null);
  if (record.firstRun !== firstRun || !state.success || !cursors.success || !told.success) return undefined;
  const { sources } = cursors.data;
  if (Object.keys(sources).length > 0 && isScraped(cursors.data) !== (source !== undefined)) return undefined;
  const tally = { ...emptyTally(firstRun), totals: record.totals };
  const own = OwnStateSchema.safeParse(record.own);
  const known = { told: told.data, own: own.success ? own.data : NO_OWN };
  const { variants = {} } = record;
  return { firstRun, cursors: cursors.data, state: state.data, tally, variants, ...known, verdict: record.verdict, judged: null };
}

/** As a leader goes on by its own clock: that of the one before may have been ahead, and for so long nothing would seem to happen. */
export function notAhead(judging: Judging, nowMs: number): Judging {
  const aheadMs = judging.state.nowMs - nowMs;
  if (aheadMs <= 0) return judging;
  const { state, own, verdict } = earlier({ state: judging.state, own: judging.own, verdict: judging.verdict }, aheadMs);
  return { ...judging, state, own, verdict };
}

/** What is judged, and what else is known of it. */
export interface JudgingScene {
  readonly rollout: Rollout;
  readonly plan: LiveState["plan"];
  /** The canary's under the run in force, that of all its variants together. */
  readonly shareBp: number;
  /** Failing users of the attempt, over all sidecars; undefined where nobody knows users. */
  readonly users?: JudgedUsers;
  /** First rule set that carries the run in force. */
  readonly revision?: LiveState["revision"];
  /** What the rollout's own checks have found since the last judgement. */
  readonly own?: OwnNews | undefined;
}

/** Counts new evidence and judges it at once. A rollout that has ended, or is on its way back, is counted and keeps its verdict. */
export function judgeReports(judging: Judging, scene: JudgingScene, reports: readonly SourcedReport[], nowMs: number): Judging {
  const { rollout, plan, revision, own } = scene;
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
  const { ofUsers, ofShadow } = apart(rollout, found);
  const tally = addToTally(judging.tally, ofUsers, plan.run);
  const variants = addOwnTo(addToVariants(judging.variants, found), own);
  const counted = { ...judging, cursors, tally, variants };
  const inShadow = isShadowed(rollout, plan);
  const news = inShadow ? ofShadow : ofUsers;
  if ((news.length === 0 && (inShadow || !isNew)) || !isJudged(plan)) return counted;
  const {
    batch,
    told,
    own: taken,
  } = inShadow ? { ...judging, batch: shadowBatch(news, plan.run, nowMs) } : usersBatch(counted, scene, news, nowMs);
  const policy = policyOf(rollout, plan);
  const { state, record } = judge(policy, judging.state, batch);
  const missing = missingText(rollout, tally.seen.elsewhere);
  const known = inShadow ? knowingTimes(record, state) : record;
  const said = missing === undefined ? known : { ...known, reason: `${known.reason}; ${missing}` };
  const stamped = revision === undefined ? said : { ...said, revision };
  const joined = inShadow ? stamped : joinOwn(stamped, taken, { rollout, own });
  // Without outcomes a verdict gets no younger, but for one that ends it: own checks alone let nothing grow.
  const isOld = news.length === 0 && joined.verdict !== "rollback";
  const verdict = isOld ? { ...joined, atMs: judging.verdict?.atMs ?? joined.atMs } : joined;
  const judged = { policy, before: judging.state, batch, record };
  return { ...counted, told, state, own: taken, verdict, judged };
}

/** What the judge is given of users, with what is known of them and of the rollout's own checks afterwards. */
function usersBatch(
  judging: Pick<Judging, "cursors" | "told" | "own">,
  { rollout, plan, shareBp, users, own }: JudgingScene,
  found: readonly Delta[],
  nowMs: number,
): Readonly<{ batch: EvidenceBatch } & Pick<Judging, "told" | "own">> {
  const counted = withoutSplit(batchOf(found, { run: plan.run, shareBp }, nowMs), plan);
  // A share decides for users with a key alone; Prometheus knows no users, and sidecars that it scrapes may tell nobody of theirs.
  const before = judging.told ?? (found.some(({ measure }) => measure === "shared") ? NOBODY_FAILED : null);
  const isUnknown = users === undefined || before === null || isScraped(judging.cursors);
  const known = isUnknown ? { batch: counted, told: before } : withUsers(counted, before, users);
  const taken = takeOwn(judging.own, { rollout, own }, known.batch);
  const batch = taken.counts === undefined ? known.batch : { ...known.batch, own: taken.counts };
  return { batch, told: known.told, own: taken.state };
}

/** Where groups of sidecars take their turns, their traffic decides how much of all is the canary's, and no share does. */
function withoutSplit({ split, ...batch }: EvidenceBatch, plan: LiveState["plan"]): EvidenceBatch {
  const served = plan.phase === "rollingBack" ? (plan.left ?? plan) : plan;
  const isGrouped = "groups" in served && served.groups !== undefined;
  return isGrouped || split === undefined ? batch : { ...batch, split };
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

function textOf(rollout: string, { firstRun, state, cursors, tally, variants, told, own, verdict }: Judging): string {
  const { totals } = tally;
  const record: JudgeRecord = {
    format: FORMAT,
    rollout,
    firstRun,
    judge: state,
    cursors,
    ...(told === null ? {} : { users: told }),
    own,
    totals,
    variants,
    shareSeenBp: shareSeenBp(tally),
    ...(isScraped(cursors) && { source: "prometheus" }),
    verdict,
  };
  return JSON.stringify(record);
}
