/** Number of buckets: 2³². */
export const BUCKETS = 4_294_967_296;

function mixBlock(block: number): number {
  const scaled = Math.imul(block, 0xcc9e2d51);
  return Math.imul((scaled << 15) | (scaled >>> 17), 0x1b873593);
}

function round(hash: number, block: number): number {
  const mixed = hash ^ mixBlock(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** `rest` holds the last one to three bytes; 0 mixes to 0, so no rest needs no case of its own. */
function finish(hash: number, rest: number, length: number): number {
  let mixed = hash ^ mixBlock(rest) ^ length;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** MurmurHash3 x86 32 of bytes (Appleby's public domain reference), unsigned. */
export function murmur3(bytes: Uint8Array, seed: number): number {
  let hash = seed | 0;
  let block = 0;
  let count = 0;
  for (const byte of bytes) {
    block |= byte << ((count & 3) * 8);
    count += 1;
    if ((count & 3) === 0) {
      hash = round(hash, block);
      block = 0;
    }
  }
  return finish(hash, block, count);
}

/** MurmurHash3 of a text's UTF-8 bytes; ASCII, which nearly all keys are, is hashed in place without allocating. */
export function murmur3Text(text: string, seed: number): number {
  let hash = seed | 0;
  let index = 0;
  // Four names and no list of four, which would cost half as much again.
  for (const blocks = text.length & ~3; index < blocks; index += 4) {
    const a = text.charCodeAt(index);
    const b = text.charCodeAt(index + 1);
    const c = text.charCodeAt(index + 2);
    const d = text.charCodeAt(index + 3);
    if ((a | b | c | d) > 127) return murmur3(utf8(text), seed);
    hash = round(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let rest = 0;
  for (let shift = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 127) return murmur3(utf8(text), seed);
    rest |= code << shift;
    shift += 8;
  }
  return finish(hash, rest, text.length);
}

/** A lone surrogate becomes U+FFFD, as in the WHATWG encoding standard. */
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Seed of a salt: hashing it first keeps ("a", "bc") and ("ab", "c") apart. */
export const seedOf = (salt: string): number => murmur3Text(salt, 0);

/** Bucket of a key, 0…2³²−1. The kind of key is not mixed in: the same id in a header or a cookie is the same user. */
export const bucketOf = (salt: string, key: string): number => murmur3Text(key, seedOf(salt));

/** First bucket that is not the canary's: ⌊share · 2³²⌋, and 2³² for 100 %. */
export const thresholdOf = (shareBp: number): number => Math.floor((shareBp * BUCKETS) / 10_000);

/**
 * First bucket of the slice of stable at the right end of a lane that is counted apart: as large as the share there, as far as
 * there is room. `threshold` is where the share of the lane [from, end) ends.
 */
export const controlStart = (threshold: number, from = 0, end = BUCKETS): number => end - Math.min(threshold - from, end - threshold);

/** 16 hex digits that stand for a user in lists, so that no raw key is stored; the bucket does not follow from them. */
export const hashKey = (salt: string, key: string): string => userHash(seedOf(salt), key);

/** `hashKey` with the salt's seed at hand. */
export const userHash = (seed: number, key: string): string => hexWord(highWord(seed, key)) + hexWord(lowWord(seed, key));

/** First and last 32 bits of `userHash`. */
export const highWord = (seed: number, key: string): number => murmur3Text(key, seed ^ 0x5e41a001);
export const lowWord = (seed: number, key: string): number => murmur3Text(key, seed ^ 0x7c3f90d5);

const hexWord = (word: number): string => word.toString(16).padStart(8, "0");
