import { hasShadow } from "../contract/course.ts";
import type { FailingUsers } from "../contract/failing-users.ts";
import type { Fleet, JudgeRecord, LiveState, PlanState } from "../contract/live.ts";
import type { Receipt } from "../contract/messages.ts";
import { ReceiptSchema } from "../contract/messages.ts";
import { SHADOW, SHADOWED, SUBJECTS } from "../contract/names.ts";
import type { Picture, RolloutPicture } from "../contract/picture.ts";
import type { Rollout } from "../contract/rollout.ts";
import { compareRevision } from "../contract/rules.ts";
import { stragglerRule } from "../contract/stragglers.ts";
import type { Strategy } from "../contract/strategy.ts";
import type { VariantReport } from "../contract/variant-report.ts";
import { variantReport } from "../core/judge/variant-report.ts";
import { costOf } from "../core/plan/blast-radius.ts";
import { frozen } from "../core/plan/what-holds.ts";
import { readOrders } from "../io/kill-store.ts";
import type { NatsLink } from "../io/nats.ts";
import { subscribeSafely } from "../io/nats.ts";
import {
  listLive,
  readFailingUsers,
  readFleet,
  readFreeze,
  readJudge,
  readKeeping,
  readLease,
  readLive,
  readMix,
  readPlan,
  readPlanAt,
} from "../io/store.ts";
import { nextText, planShape } from "./phase-text.ts";
import { stragglersOf } from "./straggler-text.ts";

/** Renewals come every second; a lease older than this has no holder. */
const LEASE_MS = 2_500;
/** Sidecars tell every second while a canary is live. */
export const LISTEN_MS = 1_300;

/** A receipt with the time of the reader's clock. */
export interface HeardReceipt {
  readonly receipt: Receipt;
  readonly atMs: number;
}

/**
 * Reads the picture from the store; receipts are listened for a little, because they are nowhere stored. With `listenMs` 0, as for
 * rollouts alone, nobody is listened to, and how NATS keeps live state is not asked.
 */
export async function readPicture(
  link: NatsLink,
  { name, nowMs, listenMs }: { name: string | undefined; nowMs: () => number; listenMs: number },
): Promise<Picture> {
  const heard = new Map<string, HeardReceipt>();
  const stop = hearReceipts(link, (id, receipt) => heard.set(id, { receipt, atMs: nowMs() }));
  // Beside the listening, and for nobody fatal: it is least answered in the seconds when a cluster elects, and rollouts are what is asked for.
  const keeping = listenMs === 0 ? undefined : readKeeping(link).catch(() => undefined);
  try {
    const states = name === undefined ? await listLive(link) : [await readLive(link, name)];
    const fleet = await readFleet(link);
    const found = states.filter((state) => state !== undefined);
    const rollouts = await Promise.all(found.map((state) => rolloutPicture(link, state, fleet)));
    if (Object.keys(fleet?.sidecars ?? {}).length > 0) await new Promise((resolve) => setTimeout(resolve, listenMs));
    const [mesh, nats] = await Promise.all([readMesh(link, nowMs()), keeping]);
    return {
      ...mesh,
      sidecars: sidecarPictures(fleet, heard, found),
      rollouts: rollouts.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      ...(nats !== undefined && { nats }),
    };
  } finally {
    stop();
  }
}

/** Subscribes to receipts; one of another version counts as not heard. The sidecar is the subject's. Returns the way to stop. */
export const hearReceipts = (link: NatsLink, onReceipt: (sidecar: string, receipt: Receipt) => void): (() => void) =>
  subscribeSafely(
    link,
    SUBJECTS.allReceipts,
    ({ subject, data }) =>
      onReceipt(subject.slice(subject.lastIndexOf(".") + 1), ReceiptSchema.parse(JSON.parse(Buffer.from(data).toString("utf8")))),
    () => undefined,
  );

/** What concerns the whole mesh: who leads, who switched off, who froze. */
export async function readMesh(link: NatsLink, nowMs: number): Promise<Pick<Picture, "leader" | "orders" | "freeze">> {
  const [lease, orders, freeze] = await Promise.all([readLease(link), readOrders(link), readFreeze(link)]);
  const ageMs = lease === undefined ? undefined : Math.max(0, nowMs - lease.renewedAtMs);
  const isVacant = lease === undefined || lease.released === true || ageMs === undefined || ageMs > LEASE_MS;
  return {
    leader: isVacant ? null : { holder: lease.holder, term: lease.term, ageMs },
    orders: [...orders.inForce],
    freeze: frozen(freeze, nowMs) ?? null,
  };
}

/** The fleet, of whom some were heard; what they must obey follows from the states of the rollouts. */
export function sidecarPictures(
  fleet: Fleet | undefined,
  heard: ReadonlyMap<string, HeardReceipt>,
  states: readonly Pick<LiveState, "revision">[],
): Picture["sidecars"] {
  const needed = states
    .map(({ revision }) => revision)
    .toSorted(compareRevision)
    .at(-1);
  return Object.entries(fleet?.sidecars ?? {}).map(([id, { silentSinceMs }]) => {
    const found = heard.get(id);
    if (found === undefined)
      return {
        ...{ id, heard: false, state: null, isCurrent: false, problem: null, obeys: null },
        ...{ heardAtMs: silentSinceMs ?? null, labels: {} },
      };
    const { state, epoch, revision, sinceMs, problem = null, labels = {} } = found.receipt;
    const isCurrent = needed === undefined || compareRevision(found.receipt, needed) >= 0;
    return { id, heard: true, state, isCurrent, problem, obeys: { epoch, revision, sinceMs }, heardAtMs: found.atMs, labels };
  });
}

const NOTHING = { requests: 0, failed: 0 };

function pictureOf(
  { verdict, totals, shareSeenBp, source, variants = {} }: JudgeRecord,
  strategy: Strategy | undefined,
): RolloutPicture["judge"] {
  const answers = (variant: string): { requests: number; failed: number } => {
    const { requests, failed } = variants[variant] ?? NOTHING;
    return { requests, failed };
  };
  const isCopied = strategy !== undefined && hasShadow(strategy) && variants[SHADOWED] !== undefined;
  return {
    verdict,
    totals,
    shareSeenBp,
    ...(source !== undefined && { source }),
    ...(isCopied && { shadow: { shadow: answers(SHADOW), shadowed: answers(SHADOWED) } }),
  };
}

const blastRadiusOf = (
  rollout: Rollout | undefined,
  judge: JudgeRecord | undefined,
  users: FailingUsers | undefined,
): RolloutPicture["blastRadius"] =>
  rollout?.blastRadius === undefined
    ? null
    : { allowed: rollout.blastRadius, spent: costOf(judge?.totals ?? { stable: NOTHING, canary: NOTHING }, users) };

function reportIn(rollout: Rollout, { phase }: PlanState, { variants = {}, verdict }: JudgeRecord): VariantReport | null {
  if (!("type" in rollout.strategy) || rollout.strategy.type !== "abTest") return null;
  return variantReport({ rollout, variants, checks: verdict?.checks ?? [], isFinal: phase !== "trial" && phase !== "pending" });
}

/** One rollout with what the judge last said. */
export async function rolloutPicture(link: NatsLink, state: LiveState, fleet: Fleet | undefined): Promise<RolloutPicture> {
  const { rollout } = state;
  const [judge, newest, failing] = await Promise.all([readJudge(link, rollout), readPlan(link, rollout), readFailingUsers(link, rollout)]);
  const isNewer = newest !== undefined && newest.sequence > state.planSequence;
  const plan = isNewer ? await readPlanAt(link, rollout, state.planSequence) : newest;
  const mix = plan?.rollout.mix === undefined ? undefined : await readMix(link, rollout);
  const shape = planShape(plan?.rollout);
  const isOfThisAttempt = judge !== undefined && judge.firstRun === state.plan.firstRun;
  return {
    name: state.rollout,
    plan: state.plan,
    ...shape,
    next: nextText(state.plan, shape.ramp, isOfThisAttempt ? judge.verdict : null),
    stragglers: stragglersOf(state.plan, fleet),
    stragglerRule: plan === undefined ? null : stragglerRule(plan.rollout),
    stops: state.stops ?? [],
    shareBp: state.shareBp,
    updatedAtMs: state.updatedAtMs,
    judge: isOfThisAttempt ? pictureOf(judge, plan?.rollout.strategy) : null,
    failingUsers: failing?.firstRun === state.plan.firstRun ? failing.users : null,
    mix: mix !== undefined && mix.figures.run >= state.plan.firstRun ? mix.figures : null,
    blastRadius: blastRadiusOf(
      plan?.rollout,
      isOfThisAttempt ? judge : undefined,
      failing?.firstRun === state.plan.firstRun ? failing.users : undefined,
    ),
    template: plan?.template?.name ?? null,
    report: isOfThisAttempt && plan !== undefined ? reportIn(plan.rollout, state.plan, judge) : null,
    ...(plan !== undefined && { mode: plan.rollout.mode }),
    ...(state.asked !== undefined && { asked: state.asked }),
    lastAction: state.outbox.at(-1)?.action ?? null,
    seen: state.plan.phase === "promoted" ? (state.seen ?? null) : null,
    waiting: isNewer ? { planSequence: newest.sequence, sinceMs: newest.atMs, who: newest.who.name } : null,
  };
}
