import { median } from "../../wire/bench.ts";
import type { Run } from "./run.ts";
import type { Scenario } from "./scenario.ts";

/** All runs of one scenario with one judge. Parts are of the runs, times in seconds, harmed in requests; null is a figure of nothing. */
export interface Row {
  readonly scenario: string;
  readonly title: string;
  readonly truth: "good" | "bad";
  readonly rps: number;
  /** Neither with clients that always fail nor with almost no traffic. */
  readonly isCore: boolean;
  readonly policy: string;
  readonly runs: number;
  readonly rollback: number;
  /** Rolled back when there was a reason; in a good scenario the same as `rollback`. */
  readonly detected: number;
  /** Rolled back before the fault of a bad canary had begun. */
  readonly falseEarly: number;
  readonly promoted: number;
  readonly promotedBeforeOnset: number;
  readonly timeout: number;
  /** From the fault's beginning to the rollback: median, and what nine of ten keep. */
  readonly detS: number | null;
  readonly det90S: number | null;
  readonly harmedMed: number;
  readonly harmed90: number;
  /** Until nine tenths of the traffic were on the canary, where it was promoted. */
  readonly promoteS: number | null;
  readonly promote90S: number | null;
  readonly halfS: number | null;
  /** First words of the reasons of the rollbacks. */
  readonly why: string;
}

/** Below so many requests a second nothing can be proven in an hour. */
export const TRICKLE_RPS = 0.1;

const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

/** The middle value; null of none. */
export const middleOf = (values: readonly number[]): number | null => (values.length === 0 ? null : median(values));

const ninth = (values: readonly number[]): number | null =>
  ascending(values)[Math.min(values.length - 1, Math.floor(0.9 * values.length))] ?? null;
const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

/** The figures of one scenario with one judge. */
export function rowOf(scenario: Scenario, policy: string, runs: readonly Run[]): Row {
  const { truth, canary, traffic } = scenario;
  const onsetS = canary.onset_s ?? 0;
  const rolledBack = runs.filter(({ outcome }) => outcome === "rollback");
  const detected = truth === "good" ? rolledBack : rolledBack.filter(({ isEarly }) => !isEarly);
  const promoted = runs.filter(({ outcome }) => outcome === "promote");
  const part = (some: readonly Run[]): number => some.length / runs.length;
  const detection = detected.map(({ endS }) => endS - onsetS);
  const harmed = runs.map((run) => run.harmed);
  const full = known(promoted.map(({ fullS }) => fullS));
  return {
    scenario: scenario.id,
    title: scenario.title,
    truth,
    rps: traffic.rps,
    isCore: scenario.stuck === undefined && traffic.rps >= TRICKLE_RPS,
    policy,
    runs: runs.length,
    rollback: part(rolledBack),
    detected: part(detected),
    falseEarly: part(rolledBack) - part(detected),
    promoted: part(promoted),
    promotedBeforeOnset: part(promoted.filter(({ isEarly }) => isEarly)),
    timeout: part(runs.filter(({ outcome }) => outcome === "timeout")),
    detS: middleOf(detection),
    det90S: ninth(detection),
    harmedMed: median(harmed),
    harmed90: ninth(harmed) ?? 0,
    promoteS: middleOf(full),
    promote90S: ninth(full),
    halfS: middleOf(known(runs.map(({ halfS }) => halfS))),
    why: [...new Set(rolledBack.map(({ why }) => why.split(" ")[0] ?? ""))].join("/"),
  };
}
