import type { Hits } from "../../contract/variant-report.ts";

/** The middle 95 % of the normal distribution lie within so many standard deviations. */
const Z = 1.959_963_984_540_054;

/** Confidence of the intervals. */
export const LEVEL = 0.95;
/** How they are made, for people who want to make them again. */
export const METHOD = "Newcombe's hybrid score interval (1998, method 10) of Wilson intervals; counts divided by the dispersion";

/** Two ends. */
export type Interval = readonly [lower: number, upper: number];

/** Wilson's score interval on a ratio (Wilson 1927): within 0 and 1, and fit for few hits. */
export function wilson({ hits, all }: Hits): Interval {
  const ratio = hits / all;
  const spread = Z * Math.sqrt((ratio * (1 - ratio)) / all + (Z * Z) / (4 * all * all));
  const [middle, scale] = [ratio + (Z * Z) / (2 * all), 1 + (Z * Z) / all];
  return [Math.max(0, (middle - spread) / scale), Math.min(1, (middle + spread) / scale)];
}

/** The interval on a's ratio minus b's of two independent samples (Newcombe 1998, Statistics in Medicine 17, method 10). */
export function newcombe(a: Hits, b: Hits): Interval {
  const [ofA, ofB] = [a.hits / a.all, b.hits / b.all];
  const [[lowA, highA], [lowB, highB]] = [wilson(a), wilson(b)];
  const difference = ofA - ofB;
  return [difference - Math.hypot(ofA - lowA, highB - ofB), difference + Math.hypot(highA - ofA, ofB - lowB)];
}
