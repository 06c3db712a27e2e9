import { setImmediate as turn } from "node:timers/promises";
import { SUBJECTS } from "../../../src/contract/names.ts";
import type { TermParts } from "../../../src/controller/ports.ts";
import type { Stored } from "../../../src/io/nats.ts";
import { decodePlan } from "../../../src/io/store.ts";

/** A store in memory, whose writes are there in the event loop's next turn. */
export class Memory {
  readonly state = new Map<string, Stored>();
  readonly plans = new Map<string, Stored>();
  #sequence = 0;
  /** Writes under way. */
  waiting = 0;
  /** Bytes by kind of subject. */
  readonly written = new Map<string, number>();

  async #write(kept: Map<string, Stored>, subject: string, data: string | Uint8Array): Promise<number> {
    this.waiting += 1;
    await turn();
    this.waiting -= 1;
    this.#sequence += 1;
    const stored = { subject, sequence: this.#sequence, data: Buffer.from(data) };
    const kind = subject.split(".").slice(0, 3).join(".");
    this.written.set(kind, (this.written.get(kind) ?? 0) + stored.data.length);
    kept.set(subject, stored);
    return this.#sequence;
  }

  /** A leader's ports. */
  ports(): Pick<TermParts, "state" | "plans" | "segments" | "policy" | "templates" | "audit" | "ticks"> {
    const none = { names: async () => [], last: async () => undefined, append: async () => 0 };
    const planOf = (name: string): Stored | undefined => this.plans.get(SUBJECTS.plan(name));
    const last = async (name: string) => {
      const stored = planOf(name);
      return stored === undefined ? undefined : decodePlan(stored);
    };
    return {
      state: {
        read: async (subject) => {
          await turn();
          return this.state.get(subject);
        },
        subjects: async (filter) => [...this.state.keys()].filter((subject) => subject.startsWith(filter.slice(0, -1))),
        write: async (subject, data) => void (await this.#write(this.state, subject, data)),
        purge: async (subject) => void this.state.delete(subject),
      },
      plans: {
        names: async () => [...this.plans.keys()].map((subject) => subject.slice(SUBJECTS.plan("").length)),
        last,
        at: last,
        before: async () => [],
        append: (name, plan) => this.#write(this.plans, SUBJECTS.plan(name), JSON.stringify(plan)),
        purge: async () => undefined,
      },
      segments: none,
      templates: none,
      policy: none,
      audit: { append: () => turn(), last: async () => undefined, recentIds: async () => new Set() },
      ticks: {
        append: async (_, text) => {
          this.written.set("ticks", (this.written.get("ticks") ?? 0) + text.length);
          await turn();
        },
      },
    };
  }
}
