/** A number with two significant digits, thousands apart: 2,400. */
const rounded = (value: number): string => {
  const two = Number(value.toPrecision(2));
  return two < 1_000 ? String(two) : String(two).replace(/\B(?=(\d{3})+$)(?<!\.\d*)/g, ",");
};

/** A ratio for people: 0.031 is `3.1 %`; null, a ratio of nothing, is `nothing`. */
export const ratioText = (ratio: number | null): string => (ratio === null ? "nothing" : `${rounded(ratio * 100)} %`);

/** A difference of ratios for people: 0.005 is `0.5 points`. */
export const pointsText = (difference: number): string => `${rounded(difference * 100)} ${difference === 0.01 ? "point" : "points"}`;

/** Odds for people: 2,400 : 1. */
export const oddsText = (odds: number): string => `${rounded(odds)} : 1`;

/** A count for people: 12,345. */
export const countText = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
