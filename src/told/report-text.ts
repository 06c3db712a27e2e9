import type { VariantMeasure, VariantReport } from "../contract/variant-report.ts";
import { ratio, table } from "./format.ts";

type Measure = VariantReport["measures"][number];

/** A difference of ratios in percentage points, with its sign. */
const points = (difference: number | null): string =>
  difference === null ? "–" : `${difference < 0 ? "−" : "+"}${Math.abs(difference * 100).toFixed(2)}`;

const nameOf = ({ name, slowerThanMs }: Measure): string => (slowerThanMs === undefined ? name : `${name} (> ${slowerThanMs} ms)`);

const rowOf = (measure: Measure, its: VariantMeasure): string[] => [
  `  ${nameOf(measure)}`,
  its.variant,
  ratio(measure.stable.ratio),
  ratio(its.ratio),
  its.lower === null ? "no data" : `${points(its.lower)} to ${points(its.upper)} points`,
  its.shows === "nothing" ? "nothing shown" : its.shows,
];

/** A test's report as lines of a table. */
export function reportLines({ measures, isFinal, level }: VariantReport): string[] {
  const rows = measures.flatMap((measure) => measure.variants.map((its) => rowOf(measure, its)));
  const heads = ["  measure", "variant", "stable", "its", `difference, ${level * 100} %`, "against stable"];
  return [isFinal ? "  report of the test:" : "  so far, not to be judged by before the test is over:", table([heads, ...rows])];
}

/** The same in one line: what differs from stable. */
export function reportLine({ measures }: VariantReport): string {
  const differing = measures.flatMap((measure) =>
    measure.variants.flatMap((its) =>
      its.shows === "nothing"
        ? []
        : [`${nameOf(measure)} ${its.shows} on ${its.variant} by ${points(its.lower)} to ${points(its.upper)} points`],
    ),
  );
  return differing.length === 0 ? "no variant is shown to differ from stable" : differing.join("; ");
}
