/** 2³², the number of values of a 32-bit word. */
const WORDS = 4_294_967_296;
const TAU = 6.283185307179586;

/** A 32-bit hash of a text (FNV-1a over UTF-16 units): each scenario's own part of the seed. */
export function hashText(text: string): number {
  let hash = 2_166_136_261;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619);
  return hash >>> 0;
}

function mixed(word: number): number {
  const sum = (word + 0x9e3779b9) | 0;
  const once = Math.imul(sum ^ (sum >>> 16), 0x21f0aaad);
  const twice = Math.imul(once ^ (once >>> 15), 0x735a2d97);
  return (twice ^ (twice >>> 15)) >>> 0;
}

/** Random draws from three keys (the generator is sfc32): the same keys give the same draws on every machine. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private count = 1;

  constructor(first: number, second: number, third: number) {
    this.a = mixed(first);
    this.b = mixed(second ^ 0x85ebca6b);
    this.c = mixed(third ^ 0xc2b2ae35);
    for (let round = 0; round < 8; round += 1) this.word();
  }

  private word(): number {
    const sum = (this.a + this.b + this.count) | 0;
    this.count = (this.count + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Between 0 and 1, never either. */
  uniform(): number {
    return (this.word() + 0.5) / WORDS;
  }

  /** Mean 0, standard deviation 1. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(TAU * this.uniform());
  }

  exponential(mean: number): number {
    return -mean * Math.log(this.uniform());
  }

  poisson(mean: number): number {
    if (mean <= 0) return 0;
    return mean < 12 ? this.fewPoisson(mean) : this.manyPoisson(mean);
  }

  private fewPoisson(mean: number): number {
    const least = Math.exp(-mean);
    let count = 0;
    for (let product = this.uniform(); product > least; product *= this.uniform()) count += 1;
    return count;
  }

  /** Exact, by transformed rejection: PTRS of Hörmann, The transformed rejection method for generating Poisson random variables, 1993. */
  private manyPoisson(mean: number): number {
    const root = Math.sqrt(mean);
    const b = 0.931 + 2.53 * root;
    const a = -0.059 + 0.02483 * b;
    const inverse = 1.1239 + 1.1328 / (b - 3.4);
    const quick = 0.9277 - 3.6224 / (b - 2);
    const logMean = Math.log(mean);
    for (;;) {
      const u = this.uniform() - 0.5;
      const v = this.uniform();
      const us = 0.5 - Math.abs(u);
      const count = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
      if (us >= 0.07 && v <= quick) return count;
      if (count < 0 || (us < 0.013 && v > us)) continue;
      const height = Math.log(v) + Math.log(inverse) - Math.log(a / (us * us) + b);
      if (height <= -mean + count * logMean - logFactorial(count)) return count;
    }
  }

  /** Successes of so many trials. */
  binomial(trials: number, chance: number): number {
    if (trials <= 0 || chance <= 0) return 0;
    if (chance >= 1) return trials;
    if (chance > 0.5) return trials - this.binomial(trials, 1 - chance);
    return trials * chance < 10 ? this.fewBinomial(trials, chance) : this.manyBinomial(trials, chance);
  }

  /** By inversion: walks up the distribution. */
  private fewBinomial(trials: number, chance: number): number {
    const odds = chance / (1 - chance);
    const none = Math.exp(trials * Math.log1p(-chance));
    let part = none;
    let left = this.uniform();
    let count = 0;
    while (left > part) {
      left -= part;
      count += 1;
      if (count > trials) {
        // Rounding has left something over: begin again.
        count = 0;
        part = none;
        left = this.uniform();
        continue;
      }
      part *= (odds * (trials - count + 1)) / count;
    }
    return count;
  }

  /** Exact, by transformed rejection: BTRS of Hörmann, The generation of binomial random variates, 1993. */
  private manyBinomial(trials: number, chance: number): number {
    const spread = Math.sqrt(trials * chance * (1 - chance));
    const b = 1.15 + 2.53 * spread;
    const a = -0.0873 + 0.0248 * b + 0.01 * chance;
    const centre = trials * chance + 0.5;
    const quick = 0.92 - 4.2 / b;
    const alpha = (2.83 + 5.1 / b) * spread;
    const logOdds = Math.log(chance / (1 - chance));
    const mode = Math.floor((trials + 1) * chance);
    const atMode = logFactorial(mode) + logFactorial(trials - mode);
    for (;;) {
      const u = this.uniform() - 0.5;
      const v = this.uniform();
      const us = 0.5 - Math.abs(u);
      const count = Math.floor(((2 * a) / us + b) * u + centre);
      if (us >= 0.07 && v <= quick) return count;
      if (count < 0 || count > trials) continue;
      const height = Math.log((v * alpha) / (a / (us * us) + b));
      if (height <= atMode - logFactorial(count) - logFactorial(trials - count) + (count - mode) * logOdds) return count;
    }
  }
}

const EXACT = new Float64Array(256);
for (let count = 1; count < 256; count += 1) EXACT[count] = Number(EXACT[count - 1]) + Math.log(count);

/** ln(count!): a table, then Stirling's series. */
function logFactorial(count: number): number {
  if (count < 256) return Number(EXACT[count]);
  const x = count + 1;
  const square = 1 / (x * x);
  return (x - 0.5) * Math.log(x) - x + 0.9189385332046727 + (1 / 12 - square * (1 / 360 - square / 1260)) / x;
}
