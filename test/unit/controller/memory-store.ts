import type { LiveState } from "../../../src/contract/live.ts";
import type { Audit } from "../../../src/contract/messages.ts";
import { SUBJECTS } from "../../../src/contract/names.ts";
import type { FreezeRecord } from "../../../src/contract/policy.ts";
import type { StoredPlan } from "../../../src/contract/stored-plan.ts";
import { type RecordedTick, RecordedTickSchema } from "../../../src/contract/ticks.ts";
import { DeposedError } from "../../../src/controller/fenced-writer.ts";
import type { TermParts } from "../../../src/controller/ports.ts";
import type { Stored } from "../../../src/io/nats.ts";
import { decodeManifest } from "../../../src/io/rules-store.ts";
import { decodePlan, decodePolicy, decodeSegment, decodeTemplate } from "../../../src/io/store.ts";

/**
 * What a write of state is about. Steps of several rollouts may share a manifest on a busy machine, and what is written of evidence and of
 * sidecars comes by the clock: so no counts, no numbers, and of a manifest what it says of one rollout.
 */
function effectOf(subject: string, data: string | Uint8Array): string {
  if (subject === SUBJECTS.manifest) {
    const { live } = decodeManifest(Buffer.from(data));
    return `manifest: ${live["cart"] === undefined ? "without it" : `run ${live["cart"].run}`}`;
  }
  if (subject.startsWith(SUBJECTS.live(""))) {
    const { rollout, plan }: LiveState = JSON.parse(data.toString());
    const begun = "begunAtMs" in plan && plan.begunAtMs !== null ? ", begun" : "";
    const held = "held" in plan && plan.held !== undefined ? ", held" : "";
    return `state of ${rollout}: ${plan.phase}, run ${plan.run}${begun}${held}`;
  }
  if (subject === SUBJECTS.freeze) {
    const { freeze, commands, outbox }: FreezeRecord = JSON.parse(data.toString());
    const owed = outbox.map(({ action }) => action).join(" and ");
    return `freeze: ${freeze === null ? "none" : "in force"} after ${commands.at(-1)?.id}, owing ${owed === "" ? "nothing" : owed}`;
  }
  return subject.startsWith(SUBJECTS.blob("")) ? "a blob" : subject;
}

/** The three streams in memory, with the promises that JetStream gives: last value a subject, sequences, audit ids once. */
export class MemoryStore {
  readonly audit: Audit[] = [];
  /** Judged batches, as stored. */
  readonly ticks: RecordedTick[] = [];
  readonly #state = new Map<string, Stored>();
  #plans: Stored[] = [];
  #sequence = 0;
  /** Writes that reached the store. */
  writes = 0;
  /** What each of them was about. */
  readonly effects: string[] = [];
  /** Stores the next plan but fails to say so. */
  losesNextAnswer = false;
  /** Subjects of which the store takes nothing at the moment. */
  refuses: readonly string[] = [];

  get plans(): number {
    return this.#plans.length;
  }

  /** The nth plan of all rollouts, as stored. */
  planAt(number: number): unknown {
    return JSON.parse(Buffer.from(this.#plans[number - 1]?.data ?? "null").toString("utf8"));
  }

  read(subject: string): Stored | undefined {
    return this.#state.get(subject);
  }

  /**
   * Ports that allow `allowed` writes, or all until one is about `doomed` for the first time; from then on nothing gets through any more,
   * as if the process had been killed.
   */
  ports(
    allowed: number,
    doomed?: string,
  ): Pick<TermParts, "state" | "plans" | "segments" | "policy" | "templates" | "audit" | "ticks"> & Readonly<{ isKilled: () => boolean }> {
    let left = allowed;
    let isKilled = false;
    // Each leader begins with an empty window: JetStream remembers ids for ten minutes, and it may have taken longer.
    const window = new Set<string>();
    const spend = (effect: string): void => {
      if (left === 0 || effect === doomed) isKilled = true;
      if (isKilled) throw new DeposedError("killed");
      left -= 1;
      this.writes += 1;
      this.effects.push(effect);
    };
    const store = (subject: string, data: string | Uint8Array): Stored => {
      this.#sequence += 1;
      return { subject, sequence: this.#sequence, data: Buffer.from(data) };
    };
    const plansAt = (wanted: string): Stored[] => this.#plans.filter(({ subject }) => subject === wanted);
    const plansOf = (name: string): Stored[] => plansAt(SUBJECTS.plan(name));
    const append = async (subject: string, plan: StoredPlan, expected: number): Promise<number> => {
      if ((plansAt(subject).at(-1)?.sequence ?? 0) !== expected) throw new Error("wrong last sequence");
      spend(subject);
      const stored = store(subject, JSON.stringify(plan));
      this.#plans.push(stored);
      if (this.losesNextAnswer) {
        this.losesNextAnswer = false;
        throw new Error("timeout");
      }
      return stored.sequence;
    };
    const namesAfter = (prefix: string): string[] => {
      const names = this.#plans.filter(({ subject }) => subject.startsWith(prefix)).map(({ subject }) => subject.slice(prefix.length));
      return [...new Set(names.filter((name) => !name.includes(".")))];
    };
    return {
      isKilled: () => isKilled,
      state: {
        read: async (subject) => this.#state.get(subject),
        subjects: async (filter) => [...this.#state.keys()].filter((subject) => subject.startsWith(filter.slice(0, -1))).toSorted(),
        write: async (subject, data) => {
          if (this.refuses.includes(subject)) throw new Error("no space left");
          spend(effectOf(subject, data));
          this.#state.set(subject, store(subject, data));
        },
        purge: async (subject) => {
          spend(`purge ${subject}`);
          this.#state.delete(subject);
        },
      },
      plans: {
        names: async () => namesAfter(SUBJECTS.plan("")),
        last: async (name) => plansOf(name).slice(-1).map(decodePlan)[0],
        at: async (name, sequence) =>
          plansOf(name)
            .filter((plan) => plan.sequence === sequence)
            .map(decodePlan)[0],
        before: async (name, sequence) =>
          plansOf(name)
            .filter((plan) => plan.sequence < sequence)
            .map(decodePlan),
        append: (name, plan, expected) => append(SUBJECTS.plan(name), plan, expected),
        purge: async (name) => {
          spend(`purge ${SUBJECTS.plan(name)}`);
          this.#plans = this.#plans.filter(({ subject }) => subject !== SUBJECTS.plan(name));
        },
      },
      segments: {
        names: async () => namesAfter(SUBJECTS.segmentPlan("")),
        last: async (name) => plansAt(SUBJECTS.segmentPlan(name)).slice(-1).map(decodeSegment)[0],
        append: (name, plan, expected) => append(SUBJECTS.segmentPlan(name), plan, expected),
      },
      templates: {
        names: async () => namesAfter(SUBJECTS.templatePlan("")),
        last: async (name) => plansAt(SUBJECTS.templatePlan(name)).slice(-1).map(decodeTemplate)[0],
        append: (name, plan, expected) => append(SUBJECTS.templatePlan(name), plan, expected),
      },
      policy: {
        last: async () => plansAt(SUBJECTS.policyPlan).slice(-1).map(decodePolicy)[0],
        append: (plan) => append(SUBJECTS.policyPlan, plan, plansAt(SUBJECTS.policyPlan).at(-1)?.sequence ?? 0),
      },
      ticks: {
        append: async (_, text) => void this.ticks.push(RecordedTickSchema.parse(JSON.parse(text))),
      },
      audit: {
        append: async (record) => {
          spend(`audit of ${record.rollout ?? "the mesh"}: ${record.action}, run ${record.run}`);
          if (!window.has(record.id)) this.audit.push(record);
          window.add(record.id);
        },
        last: async (name) => this.audit.findLast(({ rollout }) => rollout === name),
        recentIds: async (name) => new Set(this.audit.flatMap(({ id, rollout }) => (rollout === name ? [id] : []))),
      },
    };
  }
}
