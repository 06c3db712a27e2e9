import type { Who } from "../contract/messages.ts";
import type { PlanInput } from "../core/plan/types.ts";
import type { Logger } from "../io/log.ts";
import { DeposedError } from "./fenced-writer.ts";
import type { Relations } from "./relations.ts";
import type { Seat } from "./seats.ts";

interface Steps {
  readonly seats: ReadonlyMap<string, Seat>;
  readonly relations: Relations;
  readonly self: Who;
  readonly log: Logger;
  deliver(seat: Seat, event: PlanInput, cause: Readonly<{ who: Who }>): Promise<unknown>;
}

type Owed = Readonly<{ seat: Seat; firstRun: number; reason: string }>;

/** Sees to it that of a group all go back when one does. */
export class WaysBack {
  readonly #steps: Steps;
  /** Ways back that could not be written down. */
  #owed: readonly Owed[] = [];

  constructor(steps: Steps) {
    this.#steps = steps;
  }

  /** Takes the rest of a group back. Whom that fails for keeps nobody else from it. */
  takeAlong(seat: Seat, why: string, companions = this.#steps.relations.companions(seat)): Promise<void> {
    const reason = `${seat.name} of group ${seat.rollout.together} went back: ${why}`;
    return this.#carryOut(companions.map((other) => ({ seat: other, firstRun: other.live.plan.firstRun, reason })));
  }

  /** Goes on with what failed, or what the leader before left undone: a group whose first member went back. Who began later is none of it. */
  async resume(): Promise<void> {
    const owed = this.#owed;
    this.#owed = [];
    await this.#carryOut(owed);
    for (const seat of this.#steps.seats.values()) {
      const { plan } = seat.live;
      if (plan.phase !== "rollingBack") continue;
      const left = this.#steps.relations.companions(seat).filter((other) => begunAtMs(other) <= plan.sinceMs);
      await this.takeAlong(seat, plan.reason, left);
    }
  }

  /** The attempt is under way still, and does not go back by another word: a second one would hurry it. */
  #isOpen({ seat, firstRun }: Owed): boolean {
    const { plan } = seat.live;
    return this.#steps.seats.get(seat.name) === seat && plan.firstRun === firstRun && plan.phase !== "rollingBack";
  }

  async #carryOut(ways: readonly Owed[]): Promise<void> {
    const { self: who, log } = this.#steps;
    for (const way of ways) {
      // The way back of one before may have taken it along.
      if (!this.#isOpen(way)) continue;
      const { seat, reason } = way;
      try {
        await this.#steps.deliver(seat, { type: "abort", who, reason }, { who });
      } catch (error) {
        if (error instanceof DeposedError) throw error;
        log.error({ err: error, rollout: seat.name, reason }, "way back not carried out whole, trying again");
        if (this.#isOpen(way)) this.#owed = [...this.#owed, way];
      }
    }
  }
}

/** Begin of an attempt, Unix milliseconds; that of its phase where the judge began anew within it. */
const begunAtMs = ({ live, judging }: Seat): number => Math.min(live.plan.sinceMs, judging.state.sinceMs);
