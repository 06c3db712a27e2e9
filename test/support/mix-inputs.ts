import { type Mix, valuesIn } from "../../src/contract/mix.ts";
import type { MixMessage, MixWay } from "../../src/contract/mix-evidence.ts";
import { keyHash } from "../../src/core/judge/key-sketch.ts";
import type { MixGroup } from "../../src/core/judge/mix.ts";
import { storedSample, thinned } from "../../src/core/judge/user-sample.ts";

/** Two countries, as an edge tells them. */
export const COUNTRIES: Mix = { country: { header: "x-country", values: ["SE", "DE"] } };

/** The mark of a user with this value of the only label. */
export function markOf(value: string, mix: Mix = COUNTRIES): number {
  const found = valuesIn(mix).find((each) => each.value === value);
  if (found === undefined) throw new Error(`${value} is no value of the mix`);
  return 1 << found.bit;
}

/** How many users have each value. */
export type Users = Readonly<Record<string, number>>;

/** Where a group's users are: `stable share`, or `canary target staff`. */
export function groupOf(where: string, users: Users, from = 0, capacity = 1_024): MixGroup {
  const [variant = "", by = "", target] = where.split(" ");
  const marks = Object.entries(users).flatMap(([value, count]) => Array.from({ length: count }, () => markOf(value)));
  const sample = { level: 0, users: new Map(marks.map((mark, index) => [keyHash(from + index), mark])) };
  return { variant, by: by as MixWay, target, users: thinned(sample, capacity) }; // as the test says it
}

/** Groups whose users are all different ones. */
export function groupsOf(groups: Readonly<Record<string, Users>>, capacity?: number): MixGroup[] {
  let from = 0;
  return Object.entries(groups).map(([where, users]) => {
    const group = groupOf(where, users, from, capacity);
    from += Object.values(users).reduce((sum, count) => sum + count, 0);
    return group;
  });
}

/** What a sidecar says of these groups. */
export const mixMessage = (groups: readonly MixGroup[], run = 3, rollout = "cart"): MixMessage => ({
  format: 1,
  groups: groups.map(({ variant, by, target, users }) => ({
    rollout,
    run,
    variant,
    by,
    ...(target !== undefined && { target }),
    users: storedSample(users),
  })),
});
