import { rampOf, stagesOf } from "../contract/course.ts";
import type { Policy } from "../contract/policy.ts";
import type { Rollout } from "../contract/rollout.ts";
import { isEnded } from "../core/plan/ended.ts";
import type { Governed } from "./derive-manifest.ts";

/** What is wrong with what a rollout says of others and of the calendar, with the fix; undefined where nothing is. */
export function relationFault(rollout: Rollout, all: readonly Governed[], calendars: readonly string[]): string | undefined {
  return unknownCalendar(rollout, calendars) ?? orderFault(rollout, all) ?? groupFault(rollout, all);
}

function unknownCalendar({ calendar }: Rollout, calendars: readonly string[]): string | undefined {
  if (typeof calendar !== "string" || calendars.includes(calendar)) return undefined;
  const known = calendars.length === 0 ? "the policy has none" : `the policy has ${calendars.join(", ")}`;
  return `calendar: there is no calendar ${calendar}, ${known}; apply a policy with it first, or in the same command`;
}

function orderFault(rollout: Rollout, all: readonly Governed[]): string | undefined {
  const { name, after = [] } = rollout;
  const others = new Map(all.map(({ rollout: other }) => [other.name, other.after ?? []]));
  for (const [index, first] of after.entries()) {
    if (others.has(first)) continue;
    const names = [...others.keys()].filter((other) => other !== name).toSorted();
    const known = names.length === 0 ? "no other was applied yet" : `known are ${names.join(", ")}`;
    return `after.${index}: no rollout is named ${first}, ${known}; apply it first, or in the same command`;
  }
  const circle = circleFrom(name, new Map([...others, [name, after]]));
  return circle === undefined ? undefined : `after: ${circle.join(" → ")} wait for each other in a circle; take one of them out`;
}

/** The way from a rollout over those that it comes after back to itself; undefined where there is none. */
function circleFrom(name: string, after: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const seen = new Set<string>();
  const walk = (path: readonly string[]): readonly string[] | undefined => {
    for (const next of after.get(path.at(-1) ?? "") ?? []) {
      if (next === name) return [...path, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = walk([...path, next]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return walk([name]);
}

/** Steps are compared by their number, so that all of a group need as many. */
function groupFault(rollout: Rollout, all: readonly Governed[]): string | undefined {
  const { name, together } = rollout;
  if (together === undefined) return undefined;
  const steps = stepsText(rollout);
  if (steps === undefined)
    return `together: ${name} has neither stages nor a ramp; a group takes steps together, so leave it out, or write some`;
  const other = all.find(
    ({ rollout: { name: its, together: group }, live }) => its !== name && group === together && !isEnded(live.plan.phase),
  );
  if (other === undefined || stepsText(other.rollout) === steps) return undefined;
  return `together: ${name} has ${steps} and ${other.rollout.name} ${stepsText(other.rollout)}; give all of group ${together} as many steps`;
}

/** Undefined where there are none. */
function stepsText({ strategy }: Rollout): string | undefined {
  if (rampOf(strategy) !== undefined) return "a ramp";
  const { length } = stagesOf(strategy);
  return length === 0 ? undefined : `${length} ${length === 1 ? "stage" : "stages"}`;
}

/** A document with what the policy says where it says nothing itself. What is no rollout stays as it is, for the schema to refuse. */
export function withDefaults(document: unknown, defaults: Policy["defaults"]): unknown {
  if (typeof document !== "object" || document === null || defaults === undefined) return document;
  const { preset, calendar, onNewVersion } = defaults;
  const { checks = {} } = document as { checks?: object };
  return {
    ...(calendar === undefined ? {} : { calendar }),
    ...(onNewVersion === undefined ? {} : { onNewVersion }),
    ...document,
    ...(preset === undefined || typeof checks !== "object" ? {} : { checks: { preset, ...checks } }),
  };
}

/** The same from a rollout that runs. */
export const defaultsOf = ({ checks, calendar, onNewVersion }: Rollout): Policy["defaults"] => ({
  preset: checks.preset,
  ...(typeof calendar === "string" ? { calendar } : {}),
  onNewVersion,
});
