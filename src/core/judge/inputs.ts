import type { EvidenceBatch, Half, JudgePolicy, Outcomes } from "./types.ts";

const LANES = [0x811c9dc5, 0x01234567] as const;
const PRIME = 0x01000193;
const LOW = 2 ** 32;

/** A number and its two words, for the moment of taking it apart. */
const FLOAT = new Float64Array(1);
const WORDS = new Uint32Array(FLOAT.buffer);

/**
 * Hash of all evidence so far, of this batch and its policy, 16 hex digits: two lanes of FNV-1a (Fowler, Noll, Vo) over words of 32 bits.
 * It tells whether two judges saw the same; it is no proof against forgery.
 */
export function hashAfter(before: string, policy: JudgePolicy, batch: EvidenceBatch): string {
  const digest = new Digest(before);
  digest.policy(policy);
  digest.batch(batch);
  return digest.text();
}

class Digest {
  #low: number;
  #high: number;

  constructor(before: string) {
    this.#low = before === "" ? LANES[0] : Number.parseInt(before.slice(0, 8), 16);
    this.#high = before === "" ? LANES[1] : Number.parseInt(before.slice(8), 16);
  }

  text(): string {
    return [this.#low, this.#high].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }

  policy({ alpha, maxErrorIncrease, maxSlowIncrease, errorProof, errorObjective, isRamp, minSample, own, boundsMs }: JudgePolicy): void {
    for (const tolerance of [alpha, maxErrorIncrease, maxSlowIncrease, errorProof, errorObjective ?? -1]) this.#fraction(tolerance);
    this.#count(minSample);
    this.#mix(isRamp ? 1 : 0);
    this.#counts(boundsMs.length, boundsMs);
    for (const { name, harm, tolerated, weight } of own ?? []) {
      this.#word(`${name} ${harm} ${weight}`);
      this.#fraction(tolerated);
    }
  }

  batch({ nowMs, run, runCanary, stable, canary, halves, split, own }: EvidenceBatch): void {
    for (const count of [nowMs, run, runCanary, split?.shareBp ?? 0, split?.canary ?? 0, split?.all ?? 0]) this.#count(count);
    this.#side(stable);
    this.#side(canary);
    this.#half(halves?.hosts);
    this.#half(halves?.keys);
    for (const [name, counts] of Object.entries(own ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      this.#word(name);
      this.#counts(4, [counts.canaryHits, counts.canary, counts.stableHits, counts.stable]);
    }
  }

  #side(side: Outcomes): void {
    this.#count(side.decided);
    this.#count(side.settled);
    this.#half(side);
  }

  #half(half: Half | undefined): void {
    if (half === undefined) {
      this.#mix(1);
      return;
    }
    this.#count(half.requests);
    this.#count(half.failed);
    this.#count(half.users?.newly ?? -1);
    this.#count(half.users?.knownRequests ?? -1);
    this.#counts(half.latency.length, half.latency);
  }

  #counts(length: number, counts: readonly number[]): void {
    this.#mix(length);
    for (let at = 0; at < counts.length; at += 1) this.#count(Number(counts[at]));
  }

  /** Whole numbers, by both of their words. */
  #count(count: number): void {
    this.#mix(count);
    if (count >= LOW) this.#mix(count / LOW);
  }

  #fraction(value: number): void {
    FLOAT[0] = value;
    this.#mix(Number(WORDS[0]));
    this.#mix(Number(WORDS[1]));
  }

  #word(text: string): void {
    this.#mix(text.length);
    for (let at = 0; at < text.length; at += 1) this.#mix(text.charCodeAt(at));
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, PRIME);
    this.#high = Math.imul(this.#high ^ (word + 1), PRIME);
    this.#high ^= this.#high >>> 15;
  }
}
