import type { FailingUsersMessage } from "../contract/failing-users.ts";
import type { RunSketch, UnitedUsers } from "../core/judge/failing-users.ts";
import { EMPTY_SKETCH, type KeySketch, readSketch, unite } from "../core/judge/key-sketch.ts";
import { dropOldest, type Left, type Said, saidOf, storedSaid, unitedRuns } from "./failing-said.ts";

/** One process of a sidecar; another start is another count. */
interface Process {
  readonly startedAtMs: number;
  isGone: boolean;
  /** That it is gone is known from itself, and it says nothing more. */
  hasSaidGoodbye: boolean;
  readonly said: Map<string, Said>;
}

/** What is kept of processes that are too many to be told apart, and whom it is known for how long. */
interface Past {
  readonly runs: Map<string, RunSketch>;
  current: KeySketch;
  previous: KeySketch;
}

/** Limits of a ledger. */
interface Limits {
  /** Processes that are gone, but told apart still: one that speaks again after all must not be counted twice. */
  readonly maxGone: number;
  /** Users over all sketches, at 12 bytes each; what comes beyond is thinned to `thinTo` each. */
  readonly maxUsers: number;
  readonly thinTo: number;
}

const LIMITS: Limits = { maxGone: 1_000, maxUsers: 4_000_000, thinTo: 64 };

/** More runs of one process than a sidecar keeps. */
const MAX_RUNS = 64;

/** The failing users that sidecars tell of, the latest word of each process, so that all of them can be united at any time. */
export class FailingLedger {
  readonly #limits: Limits;
  readonly #processes = new Map<string, Process[]>();
  readonly #past = new Map<string, Past>();
  #users = 0;

  constructor(limits: Partial<Limits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Takes a message in; each part replaces what the same process said before. Tells the rollouts that it is about. */
  hear(sidecar: string, { startedAtMs, runs, histories }: FailingUsersMessage): Set<string> {
    const { said } = this.#processOf(sidecar, startedAtMs);
    for (const { rollout, run, variant, users } of runs) {
      const held = saidOf(said, rollout);
      const id = `${run} ${variant}`;
      held.runs.set(id, { run, variant, users: this.#taken(held.runs.get(id)?.users, readSketch(users)) });
      if (held.runs.size <= MAX_RUNS) continue;
      dropOldest(held.runs);
      this.#recount();
    }
    for (const { rollout, users } of histories) {
      const held = saidOf(said, rollout);
      held.history = this.#taken(held.history, readSketch(users));
    }
    return new Set([...runs, ...histories].map(({ rollout }) => rollout));
  }

  /** An operator knows a sidecar to be gone; what it counted stays. Tells the rollouts that it counted for. */
  forget(sidecar: string): string[] {
    return this.#leave(this.#processes.get(sidecar) ?? [], false);
  }

  /** A process of a sidecar, begun then at the latest, said goodbye; what it and those before it counted stays. Tells their rollouts. */
  goodbye(sidecar: string, startedAtMs: number): string[] {
    const all = this.#processes.get(sidecar) ?? [];
    return this.#leave(
      all.filter((process) => process.startedAtMs <= startedAtMs),
      true,
    );
  }

  #leave(processes: readonly Process[], hasSaidGoodbye: boolean): string[] {
    for (const process of processes) Object.assign(process, { isGone: true, hasSaidGoodbye });
    this.#compact();
    return processes.flatMap(({ said }) => [...said.keys()]);
  }

  /** What all processes have counted, gone ones included. */
  united(rollout: string): UnitedUsers {
    const said = this.#all().flatMap((process) => process.said.get(rollout) ?? []);
    const past = this.#past.get(rollout);
    return {
      runs: [...said, ...(past === undefined ? [] : [past])].flatMap(({ runs }) => [...runs.values()]),
      history: unite([...said.map(({ history }) => history), ...historyOf(past)]),
    };
  }

  /**
   * What processes counted that are no more: the next leader hears it from nobody. One that has not said goodbye stands apart, because
   * it may speak again. At most `capacity` users each; `isTogether` leaves none apart.
   */
  gone(rollout: string, { capacity, isTogether = false }: { capacity?: number; isTogether?: boolean } = {}): Left {
    const past = this.#past.get(rollout);
    const silent: NonNullable<Left["silent"]> = [];
    const together: Said[] = past === undefined ? [] : [{ runs: past.runs, history: unite(historyOf(past)) }];
    for (const [sidecar, processes] of this.#processes) {
      for (const { isGone, hasSaidGoodbye, startedAtMs, said } of processes) {
        const of = said.get(rollout);
        if (!isGone || of === undefined) continue;
        if (isTogether || hasSaidGoodbye) together.push(of);
        else silent.push({ sidecar, startedAtMs, ...storedSaid([of], capacity) });
      }
    }
    return { gone: storedSaid(together, capacity), silent };
  }

  /** Takes up what a leader before left. */
  restore(rollout: string, { gone, silent = [] }: Left): void {
    const past = this.#pastOf(rollout);
    for (const { run, variant, users } of gone.runs) past.runs.set(`${run} ${variant}`, { run, variant, users: readSketch(users) });
    past.current = readSketch(gone.history);
    for (const { sidecar, startedAtMs, runs, history } of silent) {
      const process = this.#processOf(sidecar, startedAtMs);
      process.isGone = true;
      const held = saidOf(process.said, rollout);
      for (const { run, variant, users } of runs) held.runs.set(`${run} ${variant}`, { run, variant, users: readSketch(users) });
      held.history = readSketch(history);
    }
    this.#recount();
  }

  /**
   * Time goes by for a rollout at rest: what processes that are gone knew is known for one more such time; its runs are over
   * for good, and whoever failed on stable under them is known as long. Living processes see to their own histories.
   */
  rotate(rollout: string): void {
    const past = this.#pastOf(rollout);
    const failedOnStable: KeySketch[] = [past.current];
    const take = (runs: Map<string, RunSketch>): void => {
      for (const { variant, users } of runs.values()) if (variant === "stable") failedOnStable.push(users);
      runs.clear();
    };
    take(past.runs);
    for (const { isGone, said } of this.#all()) {
      const of = said.get(rollout);
      if (of === undefined) continue;
      take(of.runs);
      if (isGone) failedOnStable.push(of.history);
      if (isGone) said.delete(rollout);
    }
    past.previous = unite(failedOnStable);
    past.current = EMPTY_SKETCH;
    this.#recount();
  }

  /** The process that speaks, the oldest of a sidecar first; a later start makes those before it gone. */
  #processOf(sidecar: string, startedAtMs: number): Process {
    const processes = this.#processes.get(sidecar) ?? [];
    this.#processes.set(sidecar, processes);
    let process = processes.find((each) => each.startedAtMs === startedAtMs);
    if (process === undefined) {
      process = { startedAtMs, isGone: false, hasSaidGoodbye: false, said: new Map() };
      processes.push(process);
      processes.sort((a, b) => a.startedAtMs - b.startedAtMs);
    }
    const newest = processes.at(-1);
    for (const each of processes) each.isGone ||= each !== newest;
    if (process === newest) process.isGone = false;
    process.hasSaidGoodbye = false;
    this.#compact();
    return process;
  }

  /** Adds up what the first of too many gone processes counted, and forgets which it was. */
  #compact(): void {
    const gone = this.#all().filter(({ isGone }) => isGone);
    const surplus = new Set(gone.slice(0, Math.max(0, gone.length - this.#limits.maxGone)));
    if (surplus.size === 0) return;
    for (const { said } of surplus) for (const [rollout, of] of said) this.#fold(rollout, of);
    for (const [sidecar, processes] of this.#processes) {
      const kept = processes.filter((process) => !surplus.has(process));
      if (kept.length === 0) this.#processes.delete(sidecar);
      else this.#processes.set(sidecar, kept);
    }
    this.#recount();
  }

  #fold(rollout: string, { runs, history }: Said): void {
    const past = this.#pastOf(rollout);
    for (const each of unitedRuns([...past.runs.values(), ...runs.values()])) past.runs.set(`${each.run} ${each.variant}`, each);
    past.current = unite([past.current, history]);
  }

  #pastOf(rollout: string): Past {
    let past = this.#past.get(rollout);
    if (past === undefined) this.#past.set(rollout, (past = { runs: new Map(), current: EMPTY_SKETCH, previous: EMPTY_SKETCH }));
    return past;
  }

  #taken(before: KeySketch | undefined, next: KeySketch): KeySketch {
    this.#users -= before?.keys.length ?? 0;
    const taken = this.#users + next.keys.length > this.#limits.maxUsers ? unite([next], this.#limits.thinTo) : next;
    this.#users += taken.keys.length;
    return taken;
  }

  #recount(): void {
    const sketches = this.#all()
      .flatMap(({ said }) => [...said.values()])
      .flatMap(({ runs, history }) => [history, ...[...runs.values()].map(({ users }) => users)]);
    this.#users = sketches.reduce((sum, { keys }) => sum + keys.length, 0);
  }

  #all(): Process[] {
    return [...this.#processes.values()].flat();
  }
}

const historyOf = (past: Past | undefined): KeySketch[] => (past === undefined ? [] : [past.current, past.previous]);
