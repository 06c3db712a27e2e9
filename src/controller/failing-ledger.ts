import type { FailingUsersMessage, FailingUsersRecord } from "../contract/failing-users.ts";
import type { VariantName } from "../contract/rollout.ts";
import type { RunSketch, UnitedUsers } from "../core/judge/failing-users.ts";
import { EMPTY_SKETCH, type KeySketch, readSketch, storedSketch, unite } from "../core/judge/key-sketch.ts";

/** What one process says of one rollout. */
interface Said {
  readonly runs: Map<string, RunSketch>;
  history: KeySketch;
}

/** One process of a sidecar; another start is another count. */
interface Process {
  readonly startedAtMs: number;
  isGone: boolean;
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

  /** A sidecar said goodbye, or is known to be gone; what it counted stays. Tells the rollouts that it counted for. */
  leave(sidecar: string): string[] {
    const processes = this.#processes.get(sidecar) ?? [];
    for (const process of processes) process.isGone = true;
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

  /** What processes counted that are no more: the next leader hears it from nobody. At most `capacity` users each. */
  gone(rollout: string, capacity?: number): FailingUsersRecord["gone"] {
    const said = this.#all().flatMap(({ isGone, said: of }) => (isGone ? (of.get(rollout) ?? []) : []));
    const past = this.#past.get(rollout);
    const runs = unitedRuns([...said, ...(past === undefined ? [] : [past])].flatMap((each) => [...each.runs.values()]));
    return {
      runs: runs.map(({ run, variant, users }) => ({ run, variant, users: storedSketch(unite([users], capacity)) })),
      history: storedSketch(unite([...said.map(({ history }) => history), ...historyOf(past)], capacity)),
    };
  }

  /** Takes up what a leader before left. */
  restore(rollout: string, { runs, history }: FailingUsersRecord["gone"]): void {
    const past = this.#pastOf(rollout);
    for (const { run, variant, users } of runs) past.runs.set(`${run} ${variant}`, { run, variant, users: readSketch(users) });
    past.current = readSketch(history);
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

  /** The oldest process first; a later start makes those before it gone. */
  #processOf(sidecar: string, startedAtMs: number): Process {
    const processes = this.#processes.get(sidecar) ?? [];
    this.#processes.set(sidecar, processes);
    let process = processes.find((each) => each.startedAtMs === startedAtMs);
    if (process === undefined) {
      process = { startedAtMs, isGone: false, said: new Map() };
      processes.push(process);
      processes.sort((a, b) => a.startedAtMs - b.startedAtMs);
    }
    const newest = processes.at(-1);
    for (const each of processes) each.isGone = each !== newest;
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

function saidOf(said: Map<string, Said>, rollout: string): Said {
  let held = said.get(rollout);
  if (held === undefined) said.set(rollout, (held = { runs: new Map(), history: EMPTY_SKETCH }));
  return held;
}

const historyOf = (past: Past | undefined): KeySketch[] => (past === undefined ? [] : [past.current, past.previous]);

/** Each run and variant once. */
function unitedRuns(runs: readonly RunSketch[]): RunSketch[] {
  const byId = new Map<string, RunSketch>();
  for (const each of runs) {
    const id = `${each.run} ${each.variant}`;
    const before = byId.get(id);
    byId.set(id, before === undefined ? each : { ...each, users: unite([before.users, each.users]) });
  }
  return [...byId.values()];
}

function dropOldest(runs: Map<string, { readonly run: number; readonly variant: VariantName }>): void {
  const oldest = Math.min(...[...runs.values()].map(({ run }) => run));
  for (const [id, { run }] of runs) if (run === oldest) runs.delete(id);
}
