import type { Calendar } from "../contract/calendar.ts";
import type { PlanState } from "../contract/live.ts";
import type { Rollout } from "../contract/rollout.ts";
import { type Closed, closedAt, readCalendar, type Times } from "../core/plan/calendar.ts";
import { plan } from "../core/plan/plan.ts";
import { type Hold, type PlanInput, verdictEvent } from "../core/plan/types.ts";
import { frozen, groupHold, groupOf, holdsOf, type Mesh, type Peer, turnOf } from "../core/plan/what-holds.ts";
import { freshVerdict } from "./judging.ts";
import { EndpointsKeeper } from "./kubernetes/endpoints-keeper.ts";
import type { PolicyKeeper } from "./policy-keeper.ts";
import type { TermParts } from "./ports.ts";
import type { Seat } from "./seats.ts";

const MINUTE_MS = 60_000;
/** Events that may advance a rollout. */
const ADVANCING: ReadonlySet<PlanInput["type"]> = new Set(["tick", "receipts", "verdict", "answer", "promote"]);

const peerOf = ({ rollout, live }: Seat): Peer => ({ rollout, plan: live.plan, sequence: live.planSequence });

/** What the rollouts are to each other and to the calendar: says what holds one of them. */
export class Relations {
  readonly #policy: PolicyKeeper;
  readonly #seats: ReadonlyMap<string, Seat>;
  readonly #times = new WeakMap<Calendar, Times>();
  /** Looked up once a minute: calendars open and close at whole ones. */
  readonly #closed = new Map<Calendar | undefined, Closed | undefined>();
  #closedFor = "";
  readonly endpoints: EndpointsKeeper;

  constructor(policy: PolicyKeeper, seats: ReadonlyMap<string, Seat>, parts: Pick<TermParts, "clock" | "kubernetes">) {
    this.#policy = policy;
    this.#seats = seats;
    this.endpoints = new EndpointsKeeper(parts);
  }

  /** What keeps a rollout from advancing by this event; nothing where the event advances nobody. */
  holds(seat: Seat, event: PlanInput, nowMs: number): readonly Hold[] {
    if (!ADVANCING.has(event.type)) return [];
    const mesh = this.#mesh(nowMs);
    const peer = peerOf(seat);
    const holds = [...holdsOf(peer, mesh), ...this.#askedOfEndpoints(peer, event, mesh)];
    if (peer.plan.phase === "queued") return [...holds, ...some(turnOf(peer, mesh))];
    // Who has not earned its next step waits for nobody; who waits at a gate has, and its word may come at any moment.
    const mayGoOn = event.type === "promote" || peer.plan.phase === "gate" || this.#hasEarned(peer, mesh);
    const asks = peer.rollout.together !== undefined && mayGoOn;
    return asks ? [...holds, ...some(groupHold(peer, mesh))] : holds;
  }

  /** Why endpoints send it back; undefined where they do not. */
  alarm({ rollout, live: { plan } }: Seat): string | undefined {
    return this.endpoints.alarm({ rollout, plan });
  }

  /** A rollout whose next step is not due hears nothing of endpoints: pods come and go. */
  #askedOfEndpoints(peer: Peer, event: PlanInput, mesh: Mesh): readonly Hold[] {
    const holds = this.endpoints.holds(peer);
    if (holds.length === 0 || event.type !== "tick" || peer.plan.phase === "pending" || peer.plan.phase === "gate") return holds;
    return this.#callsForStep(peer, mesh) || advances(peer, event, mesh.nowMs) ? holds : [];
  }

  /** Why an attempt that is to begin now must wait in the queue; undefined where it may. A way back is held by no freeze. */
  turn(rollout: Rollout, nowMs: number, isBack: boolean): Hold | undefined {
    const reason = isBack ? undefined : frozen(this.#policy.freeze, nowMs);
    if (reason !== undefined) return { kind: "freeze", reason };
    const plan = { phase: "queued", run: 0, firstRun: 1, sinceMs: nowMs, reason: "new" } as const;
    return turnOf({ rollout, plan, sequence: Number.POSITIVE_INFINITY }, this.#mesh(nowMs));
  }

  /** Others of its group that have not ended and are not on their way back. */
  companions(seat: Seat): readonly Seat[] {
    const others = groupOf(peerOf(seat), { peers: this.#peers() }).filter(
      ({ plan: { phase } }) => phase !== "queued" && phase !== "rollingBack",
    );
    return others.flatMap(({ rollout }) => this.#seats.get(rollout.name) ?? []);
  }

  #mesh(nowMs: number): Mesh {
    const mesh: Mesh = {
      nowMs,
      freeze: this.#policy.freeze,
      limits: this.#policy.policy?.limits,
      closed: (rollout) => this.#closedAt(rollout, nowMs),
      find: (name) => {
        const seat = this.#seats.get(name);
        return seat === undefined ? undefined : peerOf(seat);
      },
      peers: this.#peers(),
      hasEarned: (peer) => this.#hasEarned(peer, mesh),
    };
    return mesh;
  }

  #peers(): Iterable<Peer> {
    const seats = this.#seats;
    return {
      *[Symbol.iterator]() {
        for (const seat of seats.values()) yield peerOf(seat);
      },
    };
  }

  #hasEarned(peer: Peer, mesh: Mesh): boolean {
    return this.#callsForStep(peer, mesh) && holdsOf(peer, mesh).length === 0 && this.endpoints.holds(peer).length === 0;
  }

  /** Whether the evidence calls for its next step. */
  #callsForStep(peer: Peer, { nowMs }: Mesh): boolean {
    const verdict = freshVerdict(this.#seats.get(peer.rollout.name)?.judging.verdict ?? null, peer.plan.run, nowMs);
    return verdict !== undefined && advances(peer, verdictEvent(verdict), nowMs);
  }

  #closedAt({ calendar }: Rollout, nowMs: number): Closed | undefined {
    const { policy } = this.#policy;
    const own = typeof calendar === "string" ? policy?.calendars?.[calendar] : calendar;
    if (typeof calendar === "string" && own === undefined)
      return { reason: `asks for the calendar ${calendar}, which no policy holds; apply one with it`, opensMs: undefined };
    const all = [policy?.calendar, own].filter((each) => each !== undefined);
    if (all.length === 0) return undefined;
    const closedFor = `${this.#policy.version} ${Math.floor(nowMs / MINUTE_MS)}`;
    if (this.#closedFor !== closedFor) this.#closed.clear();
    this.#closedFor = closedFor;
    if (!this.#closed.has(own))
      this.#closed.set(
        own,
        closedAt(
          all.map((each) => this.#read(each)),
          nowMs,
        ),
      );
    return this.#closed.get(own);
  }

  #read(calendar: Calendar): Times {
    const times = this.#times.get(calendar) ?? readCalendar(calendar);
    this.#times.set(calendar, times);
    return times;
  }
}

/** Whether the plan, unheld, would give more users another variant now. */
function advances(peer: Peer, event: PlanInput, nowMs: number): boolean {
  const step = plan(peer.rollout, released(peer, nowMs), event, { nowMs });
  return step.ok && step.effects.some((effect) => effect.type === "serve" && effect.advances === true);
}

/** A held rollout as it were if it were let go now: what held it took none of its time. */
function released({ rollout, plan: state }: Peer, nowMs: number): PlanState {
  if (!("held" in state) || state.held === undefined) return state;
  const step = plan(rollout, state, { type: "tick" }, { nowMs });
  return step.ok ? step.state : state;
}

const some = (hold: Hold | undefined): readonly Hold[] => (hold === undefined ? [] : [hold]);
