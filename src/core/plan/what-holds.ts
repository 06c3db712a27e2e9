import { type PlanState, servedPhase } from "../../contract/live.ts";
import type { Freeze, Policy } from "../../contract/policy.ts";
import type { Rollout } from "../../contract/rollout.ts";
import { type Closed, zoneText } from "./calendar.ts";
import { isEnded } from "./ended.ts";
import { RAMP_STEPS } from "./moves.ts";
import type { Hold } from "./types.ts";

/** A rollout among the others. */
export interface Peer {
  readonly rollout: Rollout;
  readonly plan: PlanState;
  /** Of its plan in the stream of plans: who was applied first. */
  readonly sequence: number;
}

/** All that may keep one rollout from advancing. */
export interface Mesh {
  readonly nowMs: number;
  readonly freeze: Freeze | undefined;
  readonly limits: Policy["limits"];
  /** Calendars that hold for a rollout and are closed; undefined where none is. */
  closed(rollout: Rollout): Closed | undefined;
  /** Undefined where nobody has that name. */
  find(name: string): Peer | undefined;
  /** All rollouts, in no order. */
  readonly peers: Iterable<Peer>;
  /** Whether the evidence calls for the next step now, and nothing beside its group holds it. */
  hasEarned(peer: Peer): boolean;
}

/** What keeps a rollout from advancing, its group apart; empty where nothing does. */
export function holdsOf(peer: Peer, mesh: Mesh): readonly Hold[] {
  const holds: Hold[] = [];
  const add = (kind: Hold["kind"], reason: string | undefined): void => void (reason !== undefined && holds.push({ kind, reason }));
  add("freeze", frozen(mesh.freeze, mesh.nowMs));
  add("window", mesh.closed(peer.rollout)?.reason);
  for (const name of peer.rollout.after ?? []) add("dependency", notYet(name, mesh.find(name)));
  return holds;
}

/** Whether a freeze holds, and how people read of it. */
export function frozen(freeze: Freeze | undefined, nowMs: number): string | undefined {
  if (freeze === undefined || nowMs >= (freeze.untilMs ?? Number.POSITIVE_INFINITY)) return undefined;
  const { who, reason, untilMs } = freeze;
  return `frozen by ${who.name}${reason === undefined ? "" : ` (${reason})`}${untilMs === undefined ? "" : ` until ${zoneText(untilMs, "UTC")}`}`;
}

/** Why a rollout that must come first has not. */
function notYet(name: string, first: Peer | undefined): string | undefined {
  switch (first?.plan.phase) {
    case undefined:
      return `comes after ${name}, which nobody knows any more; apply that`;
    case "promoted":
    case "handedOver":
    case "on":
      return undefined;
    case "rollingBack":
    case "rolledBack":
      return `comes after ${name}, which went back; apply that again`;
    case "queued":
    case "pending":
    case "stage":
    case "ramp":
    case "holdback":
    case "preview":
    case "shadow":
    case "trial":
    case "decision":
    case "group":
    case "gate":
    case "paused":
    case "promoting":
      return `comes after ${name}, which is not promoted yet`;
  }
}

/** Why a rollout that waits in a queue must wait on; undefined when it is its turn. */
export function turnOf(peer: Peer, { peers, limits }: Pick<Mesh, "peers" | "limits">): Hold | undefined {
  const all = [...peers];
  const hold = serviceHold(peer, all);
  if (hold !== undefined || limits?.active === undefined) return hold;
  const ahead = all.filter((other) => isAhead(other, peer) && serviceHold(other, all) === undefined).length;
  if (all.filter(({ plan }) => isUnderWay(plan)).length + ahead < limits.active) return undefined;
  return { kind: "order", reason: `number ${ahead + 1} in the queue, because the policy lets ${limits.active} run at once` };
}

/** Waits in the queue, and was applied before. */
const isAhead = ({ plan, sequence }: Peer, { sequence: own }: Peer): boolean => plan.phase === "queued" && sequence < own;

function serviceHold(peer: Peer, all: readonly Peer[]): Hold | undefined {
  const { name, service } = peer.rollout;
  if (service === undefined) return undefined;
  const same = all.filter(({ rollout, plan }) => rollout.name !== name && rollout.service === service && !isEnded(plan.phase));
  const before = same.filter((other) => other.plan.phase !== "queued" || isAhead(other, peer));
  if (before.length === 0) return undefined;
  const place = before.filter((other) => isAhead(other, peer)).length + 1;
  const names = before.map(({ rollout }) => rollout.name).toSorted();
  return { kind: "order", reason: `number ${place} in the queue of service ${service}, after ${names.join(", ")}` };
}

/** Between its begin and its promotion, or on its way back. */
const isUnderWay = (plan: PlanState): boolean => !isEnded(plan.phase) && plan.phase !== "queued" && plan.phase !== "promoted";

/** Those of a rollout's group that have not ended, itself left out. */
export const groupOf = ({ rollout: { name, together } }: Peer, { peers }: Pick<Mesh, "peers">): readonly Peer[] =>
  together === undefined
    ? []
    : [...peers].filter(({ rollout, plan }) => rollout.together === together && rollout.name !== name && !isEnded(plan.phase));

/** Why a rollout must wait for others of its group before it takes its next step; the first step waits for nobody. */
export function groupHold(peer: Peer, mesh: Mesh): Hold | undefined {
  const rank = rankOf(peer);
  if (rank < 0) return undefined;
  const slow = groupOf(peer, mesh).filter((other) => {
    const its = rankOf(other);
    return its < LAST_RANK && (its < rank || (its === rank && !asksAtGate(other) && !mesh.hasEarned(other)));
  });
  if (slow.length === 0) return undefined;
  const names = slow.map(({ rollout }) => rollout.name).toSorted();
  return { kind: "group", reason: `group ${peer.rollout.together} goes together, and ${names.join(", ")} cannot go on yet` };
}

/** Its evidence has called for the step that it asks for: two that wait at their gates must not wait for each other. */
const asksAtGate = ({ plan }: Peer): boolean => plan.phase === "gate";

/** Ranks above those of stages and shares: of the holdback, and of those that have taken the last step and hold nobody up. */
const HOLDBACK = 10_000;
const LAST_RANK = 20_000;

/** How far a rollout is, among those with as many steps; a ramp counts by its share. Negative before its first step, and where it takes none. */
function rankOf({ rollout, plan: standing }: Peer): number {
  const plan = servedPhase(standing);
  switch (plan.phase) {
    case "queued":
    case "pending":
    case "preview":
    case "shadow":
    case "trial":
    case "decision":
    case "on":
    case "group":
      return -1;
    case "stage":
      return plan.stage;
    case "ramp":
      return plan.shareBp;
    case "holdback":
      return HOLDBACK;
    case "paused":
      if ("ramp" in rollout.strategy) return plan.shareBp ?? (plan.stage < RAMP_STEPS.promotion ? HOLDBACK : LAST_RANK);
      return plan.stage;
    case "promoting":
    case "promoted":
    case "rollingBack":
    case "rolledBack":
    case "handedOver":
      return LAST_RANK;
  }
}
