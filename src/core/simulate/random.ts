/** Numbers in [0, 1) from a seed (mulberry32): the same seed gives the same run on every machine. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How many of `trials` succeed: jumps from success to success while these are few, a rounded normal where they are many. */
export function binomial(random: () => number, trials: number, chance: number): number {
  if (trials <= 0 || chance <= 0) return 0;
  if (chance > 0.5) return trials - binomial(random, trials, 1 - chance);
  const mean = trials * chance;
  if (mean > 50) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.min(trials, Math.max(0, Math.round(mean + normal * Math.sqrt(mean * (1 - chance)))));
  }
  let hits = 0;
  let at = 0;
  for (;;) {
    at += Math.floor(Math.log(1 - random()) / Math.log1p(-chance)) + 1;
    if (at > trials) return hits;
    hits += 1;
  }
}

const SLOTS = 1e9;

/** How many of events come that are expected `mean` times, each by itself. */
export const poisson = (random: () => number, mean: number): number => binomial(random, SLOTS, mean / SLOTS);
