const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** Number of buckets: 2³². */
export const BUCKETS = 4_294_967_296;

function mixBlock(block: number): number {
  const scaled = Math.imul(block, C1);
  return Math.imul((scaled << 15) | (scaled >>> 17), C2);
}

/** MurmurHash3 x86 32 of bytes (Appleby, public domain reference), unsigned. */
export function murmur3(bytes: Uint8Array, seed: number): number {
  const length = bytes.length;
  const whole = length - (length & 3);
  const at = (index: number): number => bytes[index] ?? 0;
  let hash = seed | 0;
  for (let index = 0; index < whole; index += 4) {
    hash ^= mixBlock(at(index) | (at(index + 1) << 8) | (at(index + 2) << 16) | (at(index + 3) << 24));
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (whole < length) hash ^= mixBlock(at(whole) | (at(whole + 1) << 8) | (at(whole + 2) << 16));
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** UTF-8 bytes of a text; a lone surrogate becomes U+FFFD, as in the WHATWG encoding standard. */
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Seed of a salt: hashing it first keeps ("a", "bc") and ("ab", "c") apart. */
export const seedOf = (salt: string): number => murmur3(utf8(salt), 0);

/** Bucket of a key, 0…2³²−1. */
export const bucketOf = (salt: string, key: string): number => murmur3(utf8(key), seedOf(salt));

/** First bucket that is not the canary's: ⌊share · 2³²⌋, and 2³² for 100 %. */
export const thresholdOf = (shareBp: number): number => Math.floor((shareBp * BUCKETS) / 10_000);

/** True in the slice of stable, as large as the canary where there is room, that is counted apart. */
export const isControl = (bucket: number, threshold: number): boolean => bucket >= BUCKETS - Math.min(threshold, BUCKETS - threshold);

/** 16 hex digits that stand for a user in lists, so that no raw key is stored. */
export function hashKey(salt: string, key: string): string {
  const bytes = utf8(key);
  const half = (seed: number): string => murmur3(bytes, seed).toString(16).padStart(8, "0");
  const seed = seedOf(salt);
  return half(seed ^ 0x5e41a001) + half(seed ^ 0x7c3f90d5);
}
