import { courseOf } from "../contract/course.ts";
import { inOrder } from "../contract/groups.ts";
import { type Fleet, FleetSchema, type LiveState, NOBODY } from "../contract/live.ts";
import type { Receipt } from "../contract/messages.ts";
import { FORMAT, SUBJECTS } from "../contract/names.ts";
import type { Rolling } from "../contract/strategy.ts";
import type { PlanEvent } from "../core/plan/types.ts";
import { CorruptValueError, decodeStored } from "../io/store.ts";
import {
  countFleet,
  epochToHeal,
  type FleetCounts,
  type FleetView,
  forget,
  hear,
  missingFor,
  noteSilence,
  type Revision,
} from "./fleet.ts";
import type { TermParts } from "./ports.ts";
import type { Seat } from "./seats.ts";

type ReceiptsEvent = Extract<PlanEvent, { type: "receipts" }>;

/** The fleet of one time in office: members survive the leader, what they said does not and is heard anew within seconds. */
export class FleetKeeper {
  readonly #parts: TermParts;
  #fleet: FleetView = { known: {}, heard: {} };
  #isStored = true;
  /** When each said its last word, Unix milliseconds; who said none to this leader was last heard before it began. */
  readonly #heardAtMs = new Map<string, number>();

  #listeningSinceMs: number;
  #awakeMs: number;

  constructor(parts: TermParts) {
    this.#parts = parts;
    this.#listeningSinceMs = this.#awakeMs = parts.clock.nowMs();
  }

  /**
   * Since when this leader hears sidecars, Unix milliseconds: nobody is late by a time before that. Asked at each tick: a leader that did not
   * ask for longer than its lease slept, and hears them anew.
   */
  listeningSinceMs(): number {
    const { clock, settings } = this.#parts;
    const nowMs = clock.nowMs();
    if (nowMs - this.#awakeMs > settings.leaseMs + settings.tickMs) this.#listeningSinceMs = nowMs;
    this.#awakeMs = nowMs;
    return this.#listeningSinceMs;
  }

  /** Reads the members; they count as missing until they are heard. */
  async load(): Promise<void> {
    const stored = await this.#parts.state.read(SUBJECTS.fleet);
    if (stored === undefined) return;
    try {
      this.#fleet = { known: decodeStored(FleetSchema, stored).sidecars, heard: {} };
      const nowMs = this.#parts.clock.nowMs();
      for (const sidecar of this.members) this.#heardAtMs.set(sidecar, nowMs);
    } catch (error) {
      if (!(error instanceof CorruptValueError)) throw error;
      this.#parts.log.error({ err: error }, "fleet unreadable, waiting for receipts");
    }
  }

  /** Who is known. */
  get members(): readonly string[] {
    return Object.keys(this.#fleet.known);
  }

  /** Takes a receipt in; true when it says something that the one before it did not. */
  hear(receipt: Receipt): boolean {
    const before = this.#fleet.heard[receipt.sidecar];
    const nowMs = this.#parts.clock.nowMs();
    const { fleet, isMembershipChanged } = hear(this.#fleet, receipt, nowMs);
    this.#fleet = fleet;
    if (receipt.state === "goodbye") this.#heardAtMs.delete(receipt.sidecar);
    else this.#heardAtMs.set(receipt.sidecar, nowMs);
    if (isMembershipChanged) this.#isStored = false;
    return isMembershipChanged || !isSame(before, receipt);
  }

  /** Takes a sidecar out for good; nothing happens where it is not known. */
  async forget(sidecar: string): Promise<void> {
    const { fleet, isMembershipChanged } = forget(this.#fleet, sidecar);
    this.#fleet = fleet;
    this.#heardAtMs.delete(sidecar);
    if (isMembershipChanged) this.#isStored = false;
    await this.store();
  }

  /** Writes the members and who of them is silent, when that differs from what is stored. */
  async store(): Promise<void> {
    const noted = noteSilence(this.#fleet, this.#heardAtMs, this.#parts.clock.nowMs());
    if (noted !== this.#fleet) this.#isStored = false;
    this.#fleet = noted;
    if (this.#isStored) return;
    const { known } = this.#fleet;
    const fleet: Fleet = { format: FORMAT, sidecars: known };
    await this.#parts.state.write(SUBJECTS.fleet, JSON.stringify(fleet));
    this.#isStored = known === this.#fleet.known;
  }

  /** Who has not confirmed the run that a rollout serves now. */
  missing({ plan, revision }: LiveState, published: Revision): string[] {
    if (Object.keys(this.#fleet.known).length > 0) return missingFor(this.#fleet, revision, published.epoch);
    // Without anyone who could obey, nothing may go forward, and nothing stands in the way back.
    return plan.phase === "rollingBack" || plan.phase === "rolledBack" ? [] : [NOBODY];
  }

  /** What the plan of a rollout hears of receipts. */
  standing({ rollout, live }: Pick<Seat, "rollout" | "live">, published: Revision): Pick<ReceiptsEvent, "missing" | "groups"> {
    const { first, rolling } = courseOf(rollout.strategy);
    return { missing: this.missing(live, published), ...(first === "group" && { groups: this.groups(rolling) }) };
  }

  /** Groups of those that were heard, by the label that a strategy names: first those that it orders, then the others by name. */
  groups({ by, order = [] }: Pick<Rolling, "by" | "order">): string[] {
    const heard = Object.keys(this.#fleet.known).flatMap((sidecar) => this.#fleet.heard[sidecar]?.labels?.[by] ?? []);
    return inOrder([...new Set(heard)].toSorted(), order);
  }

  /** How many are in each state, and how many are behind. */
  counts(published: Revision): FleetCounts {
    return countFleet(this.#fleet, published);
  }

  /** The epoch to rise to when a sidecar obeys something newer than what was published; undefined when none does. */
  epochToHeal(published: Revision): number | undefined {
    return epochToHeal(this.#fleet, published, this.#parts.clock.nowMs());
  }
}

const isSame = (before: Receipt | undefined, after: Receipt): boolean =>
  before !== undefined && before.epoch === after.epoch && before.revision === after.revision && before.state === after.state;
