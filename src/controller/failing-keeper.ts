import {
  type FailingUsers,
  FailingUsersMessageSchema,
  type FailingUsersRecord,
  FailingUsersRecordSchema,
  type VariantFailingUsers,
} from "../contract/failing-users.ts";
import type { LiveState } from "../contract/live.ts";
import { FORMAT, SUBJECTS } from "../contract/names.ts";
import { failingUsers, halfOfUsers } from "../core/judge/failing-users.ts";
import type { FailedUsers } from "../core/judge/types.ts";
import { isEnded } from "../core/plan/ended.ts";
import { FailingLedger } from "./failing-ledger.ts";
import { inParallel } from "./in-parallel.ts";
import type { TermParts } from "./ports.ts";
import type { Seat } from "./seats.ts";
import { readRecord } from "./stored-record.ts";
import { NOBODY_FAILED, type ToldUsers } from "./told-users.ts";

/** Sidecars tell a new leader everything anew within five seconds; until then the figures of the leader before hold. */
const HEARD_ALL_MS = 6_000;
/** The last outcomes of an attempt arrive so long after its end; then its figures stay. */
const SETTLED_MS = 60_000;
/** Time at rest after which a generation of known users gives way, as in sidecars. */
const GENERATION_MS = 86_400_000;
/** Counting rests for so many times as long as it took. */
const COUNTING_PART = 10;
/** The largest record that is written, and the sample that keeps one small enough. */
const MAX_RECORD_BYTES = 512 * 1_024;
const SMALL_CAPACITY = 128;

/** A rollout with its attempt, and since when that is judged. */
type Attempted = Pick<Seat, "live" | "judging">;

/** One rollout's figures, and when they were last looked at. */
interface Figures {
  firstRun: number;
  users: FailingUsers;
  /** Those that the judge should know of. */
  judged: ToldUsers;
  /** Something was heard since they were counted. */
  isStale: boolean;
  /** Something was heard since they were written. */
  isDirty: boolean;
  /** Not counted again before, monotonic: counting takes its part of the time at most. */
  restMs: number;
  /** Monotonic. */
  writtenMs: number;
  /** Unix time of the last turn of generations at rest; undefined while the rollout is under way. */
  rotatedAtMs: number | undefined;
  /** Handed down by the leader before, and not counted anew yet. */
  isInherited: boolean;
}

/** The failing users of one time in office: what sidecars tell, united, and written down for `status` and the next leader. */
export class FailingKeeper {
  readonly #parts: TermParts;
  readonly #ledger = new FailingLedger();
  readonly #figures = new Map<string, Figures>();
  readonly #begunMs: number;

  constructor(parts: TermParts) {
    this.#parts = parts;
    this.#begunMs = parts.clock.monotonicMs();
  }

  /** Reads what the leader before left of these rollouts. */
  async load(rollouts: readonly LiveState[]): Promise<void> {
    await inParallel(rollouts, async (live) => {
      const record = await readRecord(this.#parts, {
        subject: SUBJECTS.failingUsers(live.rollout),
        schema: FailingUsersRecordSchema,
        rollout: live.rollout,
        what: "failing users",
      });
      if (record === undefined) return;
      this.#ledger.restore(live.rollout, record);
      const { firstRun, users } = record;
      this.#figures.set(live.rollout, { ...newFigures(), firstRun, users, isDirty: false, isInherited: true });
    });
  }

  /** Takes a sidecar's message in. Throws when it does not fit its schema. */
  hear(sidecar: string, message: unknown): void {
    for (const rollout of this.#ledger.hear(sidecar, FailingUsersMessageSchema.parse(message))) this.#touch(rollout);
  }

  /** An operator knows a sidecar to be gone. */
  forget(sidecar: string): void {
    for (const rollout of this.#ledger.forget(sidecar)) this.#touch(rollout);
  }

  /** A process of a sidecar, begun then at the latest, said goodbye. */
  goodbye(sidecar: string, startedAtMs: number): void {
    for (const rollout of this.#ledger.goodbye(sidecar, startedAtMs)) this.#touch(rollout);
  }

  /** Figures of this attempt of a rollout; undefined before anything is known. */
  users({ rollout, plan }: LiveState): FailingUsers | undefined {
    const figures = this.#figures.get(rollout);
    return figures?.firstRun === plan.firstRun ? figures.users : undefined;
  }

  /**
   * What the judge should know of this attempt's failing users. Undefined while not every sidecar has told a new leader of them: who
   * is known to fail would look new.
   */
  judged(seat: Attempted): ToldUsers | undefined {
    const { rollout, plan } = seat.live;
    const figures = this.#figures.get(rollout);
    if (figures === undefined || isEnded(plan.phase)) return NOBODY_FAILED;
    if (!this.#isAwaited(figures)) return this.#count(figures, seat).judged;
    return figures.users.known > 0 ? undefined : this.#counted(seat).judged;
  }

  /** Counts anew and writes what changed, as often as the options say. */
  async write(seat: Attempted): Promise<void> {
    const { live } = seat;
    const { rollout, plan } = live;
    const { clock, settings, state } = this.#parts;
    const figures = this.#figures.get(rollout);
    if (figures === undefined) return;
    this.#passTime(live, figures);
    const isSame = figures.firstRun === plan.firstRun;
    const nowMs = clock.monotonicMs();
    if ((isSame && !figures.isDirty) || nowMs - figures.writtenMs < settings.judgeWriteMs) return;
    if (this.#isAwaited(figures)) return;
    const isSettled = isSame && isEnded(plan.phase) && clock.nowMs() - plan.sinceMs > SETTLED_MS;
    if (!isSettled) this.#count(figures, seat);
    Object.assign(figures, { isDirty: !isSettled && figures.isStale, isInherited: false, writtenMs: nowMs });
    await state.write(SUBJECTS.failingUsers(rollout), this.#text(rollout, figures));
  }

  #passTime({ rollout, plan }: LiveState, figures: Figures): void {
    if (!isEnded(plan.phase)) {
      figures.rotatedAtMs = undefined;
      return;
    }
    const nowMs = this.#parts.clock.nowMs();
    figures.rotatedAtMs ??= nowMs;
    if (nowMs - figures.rotatedAtMs < GENERATION_MS) return;
    figures.rotatedAtMs = nowMs;
    this.#ledger.rotate(rollout);
    Object.assign(figures, { isDirty: true, isStale: true });
  }

  #text(rollout: string, { firstRun, users }: Figures): string {
    const updatedAtMs = this.#parts.clock.nowMs();
    const textWith = (how: Parameters<FailingLedger["gone"]>[1]): string => {
      const left = this.#ledger.gone(rollout, how);
      return JSON.stringify({ format: FORMAT, rollout, firstRun, updatedAtMs, users, ...left } satisfies FailingUsersRecord);
    };
    for (const how of [{}, { capacity: SMALL_CAPACITY }]) {
      const text = textWith(how);
      if (text.length <= MAX_RECORD_BYTES) return text;
    }
    return textWith({ capacity: SMALL_CAPACITY, isTogether: true });
  }

  #touch(rollout: string): void {
    const figures = this.#figures.get(rollout);
    if (figures === undefined) this.#figures.set(rollout, newFigures());
    else Object.assign(figures, { isDirty: true, isStale: true });
  }

  #isAwaited({ isInherited }: Figures): boolean {
    return isInherited && this.#parts.clock.monotonicMs() - this.#begunMs < HEARD_ALL_MS;
  }

  /** Counts what was heard since, in a small part of the time. */
  #count(figures: Figures, seat: Attempted): Figures {
    const { clock } = this.#parts;
    const { firstRun } = seat.live.plan;
    const begunMs = clock.monotonicMs();
    const isSame = figures.firstRun === firstRun;
    if (isSame && (!figures.isStale || begunMs < figures.restMs)) return figures;
    const counted = this.#counted(seat);
    const endedMs = clock.monotonicMs();
    const restMs = endedMs + COUNTING_PART * (endedMs - begunMs);
    return Object.assign(figures, { ...counted, firstRun, isStale: false, isInherited: false, restMs });
  }

  #counted({ live, judging }: Attempted): Pick<Figures, "users" | "judged"> {
    const elapsedMs = Math.max(0, this.#parts.clock.nowMs() - judging.state.sinceMs);
    const attempt = { firstRun: live.plan.firstRun, elapsedMs };
    const united = this.#ledger.united(live.rollout);
    const users = failingUsers(united, attempt);
    const half = failingUsers(halfOfUsers(united), attempt).stable;
    return { users, judged: { stable: toldOf(users.stable), canary: toldOf(users.canary), half: toldOf(half) } };
  }
}

const NO_USERS = { distinct: 0, newlyFailing: 0, requests: 0, knownRequests: 0, isExact: true } as const;
const NOBODY: FailingUsers = { known: 0, stable: NO_USERS, canary: NO_USERS };

const newFigures = (): Figures => ({
  firstRun: -1,
  users: NOBODY,
  judged: NOBODY_FAILED,
  isStale: true,
  isDirty: true,
  restMs: 0,
  writtenMs: 0,
  rotatedAtMs: undefined,
  isInherited: false,
});

const toldOf = ({ newlyFailing, knownRequests }: VariantFailingUsers): FailedUsers => ({ newly: newlyFailing, knownRequests });
