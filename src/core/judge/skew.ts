/** Chance of ever warning of a skew under a run whose canary differs from the others by chance alone, over all labels and values. */
export const MIX_ALPHA = 0.01;

/** Users on both sides of the comparison. */
export interface Split {
  readonly canary: number;
  readonly others: number;
}

/** A value of a label: how many have it, how many have not, and how thin both sides are sampled. */
export interface Compared {
  readonly having: Split;
  readonly lacking: Split;
  /** Level of each side's sample. */
  readonly levels: Split;
}

/**
 * Evidence, as a logarithm of odds, that users who have a value are on the canary at another rate than those who have it not. It is a
 * test supermartingale whatever the common rate is: the likelihood of both under a mixture each, over the highest that one common rate can
 * give (universal inference: Wasserman, Ramdas, Balakrishnan, PNAS 2020). So it passes `1 / MIX_ALPHA` with chance `MIX_ALPHA` at most, however
 * often it is looked at, and at whatever size, because the mixtures depend on the counts alone. `comparisons` values share that chance, and so do the
 * pairs of levels: the weights 1 / ((l + 1)(l + 2)) add up to 1.
 */
export function skewLogOdds({ having, lacking, levels }: Compared, comparisons: number): number {
  const common = { canary: having.canary + lacking.canary, others: having.others + lacking.others };
  const evidence = mixtureLog(having) + mixtureLog(lacking) - highestLog(common);
  return evidence - Math.log(comparisons) - levelLog(levels.canary) - levelLog(levels.others);
}

const levelLog = (level: number): number => Math.log((level + 1) * (level + 2));

/** Likelihood of one side's members in a row, in any order, under Jeffreys' mixture of all rates. */
const mixtureLog = ({ canary, others }: Split): number =>
  gammaLog(canary + 0.5) + gammaLog(others + 0.5) - gammaLog(canary + others + 1) - Math.log(Math.PI);

/** The same under the rate that fits best. */
const highestLog = ({ canary, others }: Split): number => timesLog(canary, canary + others) + timesLog(others, canary + others);

/** count · ln(count / all), and 0 for nothing. */
const timesLog = (count: number, all: number): number => (count === 0 ? 0 : count * Math.log(count / all));

/** From here on Stirling's series with four terms is exact to 13 digits. */
const SERIES_FROM = 12;

/** ln Γ(x) for x > 0 (Abramowitz and Stegun, 6.1.15 and 6.1.41). */
export function gammaLog(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < SERIES_FROM; at += 1) shift += Math.log(at);
  const inverse = 1 / at;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1_260 - square / 1_680)));
  return (at - 0.5) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + series - shift;
}
