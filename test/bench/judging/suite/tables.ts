import { PEERS } from "./policies.ts";
import type { Row } from "./rows.ts";
import { comparisons, policiesIn, summaryOf } from "./summary.ts";

/** A table for people. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const percent = (part: number | null, digits = 1): string => (part === null ? "–" : `${(100 * part).toFixed(digits)} %`);
const seconds = (value: number | null): string => (value === null ? "–" : `${Math.round(value)} s`);
const count = (value: number | null): string => (value === null ? "–" : String(Math.round(value)));

/** One scenario with one judge, in one line. */
export function lineOf(row: Row): string {
  const ends = `rolled back ${percent(row.rollback)}, promoted ${percent(row.promoted)}, open ${percent(row.timeout)}`;
  const found = `found after ${seconds(row.detS)} / ${seconds(row.det90S)}, harmed ${count(row.harmedMed)} / ${count(row.harmed90)}`;
  const times = row.truth === "bad" ? found : `full after ${seconds(row.promoteS)} / ${seconds(row.promote90S)}`;
  return `${row.scenario.padEnd(20)} ${row.policy.padEnd(10)} ${ends}; ${times}${row.why === "" ? "" : `; ${row.why}`}`;
}

/** What the goals are stated in, a row for each judge. */
export function summaryTable(rows: readonly Row[]): Table {
  return {
    title: "All scenarios",
    columns: [
      "judge",
      "false rollback, core",
      "with broken clients",
      "worst",
      "missed",
      "harmed",
      "full promotion",
      "promoted at ≥ 50 req/s",
    ],
    rows: policiesIn(rows).map((policy) => {
      const figures = summaryOf(rows, policy);
      const worst = figures.worst === null ? "–" : `${percent(figures.worst.rollback)} (${figures.worst.scenario})`;
      return [
        policy,
        percent(figures.falseCore, 2),
        percent(figures.falseAll, 2),
        worst,
        percent(figures.missed, 2),
        count(figures.harmed),
        seconds(figures.promoteS),
        percent(figures.promoted, 2),
      ];
    }),
  };
}

/** The judge that the others are there for: Serin, or the last that is no peer. */
export const subjectOf = (rows: readonly Row[]): string | undefined =>
  policiesIn(rows).findLast((policy) => !PEERS.includes(policy) && policy !== "naive");

/** Bad scenarios: the judge's harmed requests beside those of the best peer. */
export function badTable(rows: readonly Row[], policy: string): Table {
  return {
    title: `Bad canaries: ${policy} beside the best peer that catches 95 % there and blames less than 5 % of good ones`,
    columns: ["scenario", "caught", "missed", "found after", "90 %", "harmed", "90 %", "best peer", "harmed", "ratio"],
    rows: comparisons(rows, policy).map(({ row, best, ratio }) => [
      `${row.scenario}: ${row.title}`,
      percent(row.detected),
      percent(row.promoted),
      seconds(row.detS),
      seconds(row.det90S),
      count(row.harmedMed),
      count(row.harmed90),
      best?.policy ?? "none",
      count(best?.harmedMed ?? null),
      ratio === null ? "–" : ratio.toFixed(2),
    ]),
  };
}

/** Good scenarios with the judge. */
export function goodTable(rows: readonly Row[], policy: string): Table {
  return {
    title: `Good canaries with ${policy}`,
    columns: ["scenario", "rolled back", "promoted", "still open", "full after", "90 %"],
    rows: rows
      .filter((row) => row.policy === policy && row.truth === "good")
      .map((row) => [
        `${row.scenario}: ${row.title}`,
        percent(row.rollback),
        percent(row.promoted),
        percent(row.timeout),
        seconds(row.promoteS),
        seconds(row.promote90S),
      ]),
  };
}
