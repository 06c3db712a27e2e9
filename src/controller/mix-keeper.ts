import type { LiveState } from "../contract/live.ts";
import type { Mix } from "../contract/mix.ts";
import {
  GROUP_CAPACITY,
  type MixFigures,
  type MixMessage,
  MixMessageSchema,
  type MixRecord,
  MixRecordSchema,
} from "../contract/mix-evidence.ts";
import { FORMAT, SUBJECTS } from "../contract/names.ts";
import { type MixGroup, mixFigures, skewText } from "../core/judge/mix.ts";
import { atLevel, readSample, storedSample, uniteSamples } from "../core/judge/user-sample.ts";
import { isEnded } from "../core/plan/ended.ts";
import type { TermParts } from "./ports.ts";
import { readRecord } from "./stored-record.ts";

/** The largest record that is written. */
const MAX_RECORD_BYTES = 512 * 1_024;
/** More groups than a rollout can have: nine variants, three ways, and the targets that are counted apart. */
const MAX_GROUPS = 64;
/** Groups that hold no more are not thinned to make room. */
const SMALL_GROUP = 64;
/** Sidecars tell every four to five seconds; so many of the judge's writes pass between two of a mix. */
const WRITE_EVERY = 4;
/** Users over all rollouts, at about 40 bytes each. */
const MAX_USERS = 1_000_000;

/** A rollout that may ask for its mix. */
interface Asking {
  readonly rollout: { readonly mix?: Mix | undefined };
  readonly live: LiveState;
}

/** The users of one rollout under one run. */
interface Held {
  readonly run: number;
  readonly groups: Map<string, MixGroup>;
  figures: MixFigures | undefined;
  isDirty: boolean;
  /** Monotonic. */
  writtenMs: number;
  /** Labels of which it was said that they are skewed. */
  readonly said: Set<string>;
}

/**
 * The mix of users of one time in office: what sidecars tell, united, and written down for `status` and the next leader. It makes no difference
 * who told what, or how often, so nothing is kept of that.
 */
export class MixKeeper {
  readonly #parts: TermParts;
  readonly #askingOf: (rollout: string) => Asking | undefined;
  readonly #maxUsers: number;
  readonly #held = new Map<string, Held>();
  #users = 0;

  /** `askingOf` tells which rollouts are led. */
  constructor(parts: TermParts, askingOf: (rollout: string) => Asking | undefined, maxUsers = MAX_USERS) {
    this.#parts = parts;
    this.#askingOf = askingOf;
    this.#maxUsers = maxUsers;
  }

  /** Reads what the leader before left of these rollouts. */
  async load(rollouts: readonly Asking[]): Promise<void> {
    for (const { rollout, live } of rollouts) {
      const record =
        rollout.mix === undefined
          ? undefined
          : await readRecord(this.#parts, {
              subject: SUBJECTS.rolloutMix(live.rollout),
              schema: MixRecordSchema,
              rollout: live.rollout,
              what: "the mix",
            });
      if (record === undefined || !isOfAttempt(record.figures.run, live)) continue;
      const held = begun(record.figures.run);
      held.figures = record.figures;
      for (const { label } of record.figures.skews) held.said.add(label);
      for (const group of record.groups) this.#take(held, { ...group, users: readSample(group.users) });
      this.#held.set(live.rollout, held);
      if (this.#users > this.#maxUsers) this.#thin();
    }
  }

  /** Takes a sidecar's message in. Throws when it does not fit its schema. */
  hear(data: Uint8Array): void {
    const { groups } = MixMessageSchema.parse(JSON.parse(new TextDecoder().decode(data)));
    for (const { rollout, run, ...group } of groups) {
      const asking = this.#askingOf(rollout);
      if (asking?.rollout.mix === undefined || !isOfAttempt(run, asking.live) || isEnded(asking.live.plan.phase)) continue;
      this.#hear(rollout, run, group);
    }
    if (this.#users > this.#maxUsers) this.#thin();
  }

  /** The mix under the last run of this attempt that had users; undefined before anything is known. */
  figures({ rollout, plan }: LiveState): MixFigures | undefined {
    const figures = this.#held.get(rollout)?.figures;
    return figures !== undefined && figures.run >= plan.firstRun ? figures : undefined;
  }

  /** Counts anew and writes what changed, as often as sidecars tell. */
  async write({ rollout: { mix }, live }: Asking): Promise<void> {
    const { clock, settings, state } = this.#parts;
    const held = this.#held.get(live.rollout);
    const nowMs = clock.monotonicMs();
    if (mix === undefined || held === undefined) return;
    // Nobody is counted any more.
    if (!held.isDirty && isEnded(live.plan.phase)) this.#clear(held);
    if (!held.isDirty || nowMs - held.writtenMs < WRITE_EVERY * settings.judgeWriteMs) return;
    held.figures = mixFigures(mix, [...held.groups.values()], held.run);
    this.#say(live.rollout, held, held.figures);
    const text = this.#text(live.rollout, held, held.figures);
    // Before the write, because more may be heard meanwhile.
    Object.assign(held, { isDirty: false, writtenMs: nowMs });
    try {
      await state.write(SUBJECTS.rolloutMix(live.rollout), text);
    } catch (error) {
      held.isDirty = true;
      throw error;
    }
  }

  #hear(rollout: string, run: number, group: Omit<MixMessage["groups"][number], "rollout" | "run">): void {
    let held = this.#held.get(rollout);
    // A run that is over says nothing more.
    if (held !== undefined && held.run > run) return;
    if (held === undefined || held.run < run) {
      if (held !== undefined) this.#clear(held);
      this.#held.set(rollout, (held = begun(run, held?.figures)));
    }
    this.#take(held, { ...group, users: readSample(group.users) });
    held.isDirty = true;
  }

  #take(held: Held, group: MixGroup): void {
    const id = [group.variant, group.by, group.target].join(" ");
    const before = held.groups.get(id);
    if (before === undefined && held.groups.size >= MAX_GROUPS) return;
    const users = before === undefined ? group.users : uniteSamples([before.users, group.users], GROUP_CAPACITY);
    held.groups.set(id, { ...group, users });
    this.#users += users.users.size - (before?.users.users.size ?? 0);
  }

  #clear({ groups }: Held): void {
    for (const { users } of groups.values()) this.#users -= users.users.size;
    groups.clear();
  }

  /** One level more for each group that is worth it. */
  #thin(): void {
    for (const { groups } of this.#held.values()) {
      for (const [id, group] of groups) {
        const { users } = group;
        if (users.users.size <= SMALL_GROUP) continue;
        const thinner = atLevel(users, users.level + 1);
        this.#users += thinner.users.size - users.users.size;
        groups.set(id, { ...group, users: thinner });
      }
    }
  }

  /** Once a label and run: who watches logs should know before they look. */
  #say(rollout: string, { run, said }: Held, { skews }: MixFigures): void {
    for (const skew of skews) {
      if (said.has(skew.label)) continue;
      said.add(skew.label);
      this.#parts.log.warn({ rollout, run, ...skew, text: skewText(skew) }, "the canary's users are not like all users");
    }
  }

  #text(rollout: string, { groups }: Held, figures: MixFigures): string {
    const updatedAtMs = this.#parts.clock.nowMs();
    for (let more = 0; ; more += 1) {
      const stored = [...groups.values()].map(({ users, ...group }) => ({
        ...group,
        users: storedSample(atLevel(users, users.level + more)),
      }));
      const record = { format: FORMAT, rollout, updatedAtMs, figures, groups: stored } satisfies MixRecord;
      const text = JSON.stringify(record);
      if (text.length <= MAX_RECORD_BYTES) return text;
    }
  }
}

const isOfAttempt = (run: number, { plan }: LiveState): boolean => run >= plan.firstRun && run <= plan.run;

const begun = (run: number, figures?: MixFigures): Held => ({
  run,
  groups: new Map(),
  figures,
  isDirty: false,
  writtenMs: 0,
  said: new Set(),
});
