/** Counts of one batch: `hits` are what is counted (failed, slow) of all outcomes of that side. */
export interface Counts {
  readonly canaryHits: number;
  readonly canary: number;
  readonly stableHits: number;
  readonly stable: number;
}

/** The line between the two hypotheses: canary's ratio = `factor` times stable's + `margin`; `margin` is above 0. */
export interface Edge {
  readonly factor: number;
  readonly margin: number;
}

/** A guess at the two ratios, made before the batch is seen; the side of the edge it lies on is the side that is bet on. */
export interface Guess {
  readonly canary: number;
  readonly stable: number;
}

/** No outcome may cost more than this part of the wealth, so that one surprise never ruins a bet for good. */
const LEAST_FACTOR = 0.02;
/** Steps at most, and how short the last one is; the edge is met exactly whatever the precision, so this costs power only. */
const STEPS = 24;
const NEAR = 1e-6;

/**
 * Logarithm of the wealth that 1 becomes when it is bet, on this batch, that the ratios lie on the guess's side of the edge.
 * Its expectation is at most 1 on the other side, for every ratio of stable: each outcome multiplies the wealth by a factor
 * whose mean is 1 on the edge through the guess's projection, and the two sides' slopes are tied so that stable's own ratio
 * drops out (arithmetic over geometric mean). After the safe tests of Turner, Ly and Grünwald for two streams of Bernoulli
 * outcomes, extended to a relative and absolute margin. Both sides must have outcomes.
 */
export function logBet(counts: Counts, edge: Edge, guess: Guess): number {
  const { canaryHits, canary, stableHits, stable } = counts;
  const stableAt = projection(counts, edge, guess);
  const canaryAt = edge.factor * stableAt + edge.margin;
  const slope = (guess.canary - canaryAt) / (canaryAt * (1 - canaryAt));
  const stableSlope = (-slope * edge.factor * canary) / stable;
  const worst = Math.max(-slope * (1 - canaryAt), slope * canaryAt, -stableSlope * (1 - stableAt), stableSlope * stableAt);
  const scale = Math.min(1, (1 - LEAST_FACTOR) / worst);
  const canarySlope = slope * scale;
  const tiedSlope = stableSlope * scale;
  return (
    canaryHits * Math.log1p(canarySlope * (1 - canaryAt)) +
    (canary - canaryHits) * Math.log1p(-canarySlope * canaryAt) +
    stableHits * Math.log1p(tiedSlope * (1 - stableAt)) +
    (stable - stableHits) * Math.log1p(-tiedSlope * stableAt)
  );
}

/**
 * Stable's ratio at the point of the edge that explains the guess best (least Kullback-Leibler divergence at these sample sizes). Its
 * derivative, less its denominators, is a cubic with one root between the guess's own ratios: by Newton's steps, halved where they leave it.
 */
function projection({ canary, stable }: Counts, { factor, margin }: Edge, guess: Guess): number {
  const above = guess.canary - margin;
  const beside = above / factor;
  let low = Math.max(1e-12, Math.min(guess.stable, beside));
  let high = Math.min(Math.max(guess.stable, beside), ((1 - margin) / factor) * (1 - 1e-9));
  const weight = canary / (canary + stable);
  const [ofCanary, ofStable] = [weight * factor, 1 - weight];
  const [square, line, rest] = [-factor * factor, factor * (1 - 2 * margin), margin * (1 - margin)];
  const cubic = ofCanary * factor - ofStable * square;
  const squares = ofStable * (guess.stable * square - line) - ofCanary * (above + factor);
  const linear = ofCanary * above + ofStable * (guess.stable * line - rest);
  const constant = ofStable * guess.stable * rest;
  const mean = weight * beside + (1 - weight) * guess.stable;
  let at = mean > low && mean < high ? mean : (low + high) / 2;
  for (let step = 0; step < STEPS; step += 1) {
    const pull = ((cubic * at + squares) * at + linear) * at + constant;
    if (pull > 0) low = at;
    else high = at;
    const next = at - pull / ((3 * cubic * at + 2 * squares) * at + linear);
    const before = at;
    at = next > low && next < high ? next : (low + high) / 2;
    if (Math.abs(at - before) <= NEAR * at) break;
  }
  return at;
}
