/** Two-sided at 98 %. */
const Z = 2.3263478740408408;
const TOLERANCE = 0.25;
const HALVINGS = 40;

/**
 * Whether Kayenta would call the canary's series high, after `MannWhitney.scala` and `MannWhitneyClassifier.scala`: the lower bound of
 * the interval of the shift is above a quarter of the estimated shift (Hodges and Lehmann).
 */
export function isHigh(canary: readonly number[], stable: readonly number[]): boolean {
  const low = Math.min(...canary) - Math.max(...stable);
  const high = Math.max(...canary) - Math.min(...stable);
  if (!(high > low)) return false;
  const shiftAt = (z: number): number => root((shift) => statistic(shift, canary, stable) - z, low, high);
  const lower = shiftAt(Z);
  return lower > 0 && lower > TOLERANCE * Math.abs(shiftAt(0));
}

/** Where a falling function is 0, by bisection; NaN where it is no number. */
function root(of: (x: number) => number, from: number, to: number): number {
  const [atLow, atHigh] = [of(from), of(to)];
  if (Number.isNaN(atLow) || Number.isNaN(atHigh)) return Number.NaN;
  if (atLow <= 0) return from;
  if (atHigh >= 0) return to;
  let [low, high] = [from, to];
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (low + high) / 2;
    if (of(middle) > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The rank sum of the canary's values, less the shift, as a normal deviate with correction for ties and continuity. */
function statistic(shift: number, canary: readonly number[], stable: readonly number[]): number {
  const [m, n] = [canary.length, stable.length];
  const all = [
    ...canary.map((value) => ({ value: value - shift, isCanary: true })),
    ...stable.map((value) => ({ value, isCanary: false })),
  ];
  all.sort((a, b) => a.value - b.value);
  let rankSum = 0;
  let ties = 0;
  for (let from = 0; from < all.length; ) {
    let to = from;
    while (to < all.length && all[to]?.value === all[from]?.value) to += 1;
    const count = to - from;
    const rank = (from + 1 + to) / 2;
    ties += count ** 3 - count;
    for (const { isCanary } of all.slice(from, to)) if (isCanary) rankSum += rank;
    from = to;
  }
  const difference = rankSum - (m * (m + 1)) / 2 - (m * n) / 2;
  const variance = ((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1)));
  return variance <= 0 ? Number.NaN : (difference - 0.5 * Math.sign(difference)) / Math.sqrt(variance);
}
