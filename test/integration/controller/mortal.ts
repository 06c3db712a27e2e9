import { DeposedError } from "../../../src/controller/fenced-writer.ts";
import type { TermParts } from "../../../src/controller/ports.ts";

/** Where a leader dies: at its n-th write, before the server has it or after. */
export interface Kill {
  readonly at: number;
  readonly when: "before" | "after";
}

type Ports = Pick<TermParts, "state" | "plans" | "segments" | "policy" | "templates" | "audit" | "ticks">;

/** Ports of a leader that dies: from then on nothing gets through in either direction, as if its process had been killed. */
export function mortal(
  real: Ports,
  kill: Kill | undefined,
  onEffect: () => void,
): { readonly ports: Ports; isKilled(): boolean; isBusy(): boolean } {
  let effects = 0;
  let isKilled = false;
  let underWay = 0;
  const live = (): void => {
    if (isKilled) throw new DeposedError("killed");
  };
  const tracked = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    live();
    underWay += 1;
    try {
      return await work();
    } finally {
      underWay -= 1;
      live();
    }
  };
  const effect = <Result>(write: () => Promise<Result>): Promise<Result> =>
    tracked(async () => {
      const isLast = effects === kill?.at;
      effects += 1;
      if (isLast && kill?.when === "before") isKilled = true;
      live();
      onEffect();
      const result = await write();
      if (isLast) isKilled = true;
      return result;
    });
  const { state, plans, segments, policy, templates, audit, ticks } = real;
  return {
    isKilled: () => isKilled,
    isBusy: () => underWay > 0,
    ports: {
      state: {
        read: (subject) => tracked(() => state.read(subject)),
        subjects: (filter) => tracked(() => state.subjects(filter)),
        write: (subject, data) => effect(() => state.write(subject, data)),
        purge: (subject) => effect(() => state.purge(subject)),
      },
      plans: {
        names: () => tracked(plans.names),
        last: (name) => tracked(() => plans.last(name)),
        at: (name, sequence) => tracked(() => plans.at(name, sequence)),
        before: (name, sequence) => tracked(() => plans.before(name, sequence)),
        append: (name, plan, expected) => effect(() => plans.append(name, plan, expected)),
        purge: (name) => effect(() => plans.purge(name)),
      },
      policy: { last: () => tracked(policy.last), append: (plan) => effect(() => policy.append(plan)) },
      segments: {
        names: () => tracked(segments.names),
        last: (name) => tracked(() => segments.last(name)),
        append: (name, plan, expected) => effect(() => segments.append(name, plan, expected)),
      },
      templates: {
        names: () => tracked(templates.names),
        last: (name) => tracked(() => templates.last(name)),
        append: (name, plan, expected) => effect(() => templates.append(name, plan, expected)),
      },
      audit: {
        append: (record) => effect(() => audit.append(record)),
        recentIds: (name) => tracked(() => audit.recentIds(name)),
        last: (name) => tracked(() => audit.last(name)),
      },
      // A record of what was judged, which nobody goes on from.
      ticks,
    },
  };
}
