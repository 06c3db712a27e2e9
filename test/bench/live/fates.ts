import type { Fate } from "../../../src/demo/upstreams.ts";

/** What a version does with its requests. */
export interface Behaviour {
  /** Part that it answers with 503. */
  readonly failing?: number;
  /** Factor of its times. */
  readonly times?: number;
  /** It takes requests and answers none. */
  readonly hangs?: boolean;
}

/** Counted at a version's own door, since its fault began; times in Unix milliseconds. */
export interface Counted {
  requests: number;
  /** Failed, never answered, or slower than nineteen of twenty would have been without the fault. */
  harmed: number;
  firstHarmMs: number | undefined;
  lastRequestMs: number | undefined;
}

/** Median and spread of the service's times: a lognormal distribution, like the benchmark's. */
const MEDIAN_MS = 40;
const SIGMA = 0.4;
const P95_MS = MEDIAN_MS * Math.exp(1.6449 * SIGMA);

const OK = 200;
const FAILED = 503;

/** Decides what becomes of requests, and counts. Users of `broken` always fail, by no fault of the version. */
export function createFates(broken: ReadonlySet<string>): {
  readonly counted: Counted;
  fateOf(user: string): Fate;
  behave(next: Behaviour): void;
} {
  let behaviour: Behaviour = {};
  const counted: Counted = { requests: 0, harmed: 0, firstHarmMs: undefined, lastRequestMs: undefined };
  const harm = (): void => {
    counted.harmed += 1;
    counted.firstHarmMs ??= Date.now();
  };
  return {
    counted,
    behave(next) {
      behaviour = next;
      Object.assign(counted, { requests: 0, harmed: 0, firstHarmMs: undefined, lastRequestMs: undefined });
    },
    fateOf(user) {
      counted.requests += 1;
      counted.lastRequestMs = Date.now();
      const usualMs = MEDIAN_MS * Math.exp(SIGMA * normal());
      const afterMs = usualMs * (behaviour.times ?? 1);
      if (broken.has(user)) return { status: FAILED, afterMs };
      if (behaviour.hangs === true) {
        harm();
        return null;
      }
      const fails = Math.random() < (behaviour.failing ?? 0);
      if (fails || (afterMs > P95_MS && usualMs <= P95_MS)) harm();
      return { status: fails ? FAILED : OK, afterMs };
    },
  };
}

const normal = (): number => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
