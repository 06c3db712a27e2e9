import { KEY_HASHES } from "../../contract/failing-users.ts";
import type { StoredSample } from "../../contract/mix-evidence.ts";

/**
 * A set of users that unites: those whose hash (`keyHash`) lies below the limit of the level, each with its mark. It is Wegman's adaptive
 * sampling (Flajolet, On adaptive sampling, 1990): all users at level 0, and half as many of them at each level more. A mark only
 * ever gains bits. So samples unite in any order, and one that is united twice changes nothing.
 */
export interface UserSample {
  readonly level: number;
  /** Marks by hash. */
  readonly users: ReadonlyMap<number, number>;
}

/** Nobody. */
export const NOBODY_SAMPLED: UserSample = { level: 0, users: new Map() };

/** Hashes below it are kept. */
export const limitOf = (level: number): number => KEY_HASHES / 2 ** level;

/** The sample at a level that is not below its own. */
export function atLevel(sample: UserSample, level: number): UserSample {
  if (level === sample.level) return sample;
  const limit = limitOf(level);
  return { level, users: new Map([...sample.users].filter(([hash]) => hash < limit)) };
}

/** The sample with at most so many users: at the lowest level where it has no more. */
export function thinned(sample: UserSample, capacity: number): UserSample {
  let next = sample;
  while (next.users.size > capacity) next = atLevel(next, next.level + 1);
  return next;
}

/** Users of any of these, each once, with the bits of all its marks. */
export function uniteSamples(samples: readonly UserSample[], capacity = Number.POSITIVE_INFINITY): UserSample {
  const level = samples.reduce((highest, sample) => Math.max(highest, sample.level), 0);
  const limit = limitOf(level);
  const users = new Map<number, number>();
  for (const sample of samples) for (const [hash, mark] of sample.users) if (hash < limit) users.set(hash, Number(users.get(hash)) | mark);
  return thinned({ level, users }, capacity);
}

/** Users of `sample` that are not in `other`. */
export const withoutUsers = ({ level, users }: UserSample, other: UserSample): UserSample => ({
  level,
  users: new Map([...users].filter(([hash]) => !other.users.has(hash))),
});

/** The form for messages and the store. */
export function storedSample({ level, users }: UserSample): StoredSample {
  const sorted = [...users].toSorted(([a], [b]) => a - b);
  return { level, steps: sorted.map(([hash], index) => hash - (sorted[index - 1]?.[0] ?? 0)), marks: sorted.map(([, mark]) => mark) };
}

/** The sample of a stored form that its schema has checked. */
export function readSample({ level, steps, marks }: StoredSample): UserSample {
  let hash = 0;
  return { level, users: new Map(steps.map((step, index) => [(hash += step), Number(marks[index])])) };
}
