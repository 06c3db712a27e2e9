/**
 * The bucketing a second time, written for reading: arithmetic on BigInt, byte by byte, sharing nothing with the product.
 * Tests and the demo take the variant that a user should see from here.
 */

const MASK = 0xffffffffn;

const rotateLeft = (x: bigint, bits: bigint): bigint => ((x << bits) | (x >> (32n - bits))) & MASK;

function scramble(block: bigint): bigint {
  const product = (block * 0xcc9e2d51n) & MASK;
  return (rotateLeft(product, 15n) * 0x1b873593n) & MASK;
}

/** MurmurHash3 x86 32 as in its public description, of bytes or of a text's UTF-8. */
export function plainMurmur3(input: string | Uint8Array, seed: bigint): bigint {
  const bytes = Buffer.from(input);
  let h = seed;
  let offset = 0;
  while (bytes.length - offset >= 4) {
    h ^= scramble(BigInt(bytes.readUInt32LE(offset)));
    h = (rotateLeft(h, 13n) * 5n + 0xe6546b64n) & MASK;
    offset += 4;
  }
  let rest = 0n;
  for (let i = bytes.length - 1; i >= offset; i -= 1) rest = (rest << 8n) | BigInt(bytes.readUInt8(i));
  if (bytes.length > offset) h ^= scramble(rest);
  h ^= BigInt(bytes.length);
  h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & MASK;
  h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & MASK;
  return h ^ (h >> 16n);
}

/** Bucket of a key under a salt, 0…2³²−1. */
export const plainBucket = (salt: string, key: string): number => Number(plainMurmur3(key, plainMurmur3(salt, 0n)));

/** The variant that a key must see at a share in basis points: canary below ⌊share · 2³²⌋. */
export function plainVariant(salt: string, key: string, shareBp: number): "stable" | "canary" {
  const threshold = (BigInt(shareBp) * 2n ** 32n) / 10_000n;
  return BigInt(plainBucket(salt, key)) < threshold ? "canary" : "stable";
}

interface PlainLane {
  readonly name: string;
  readonly widthBp: number;
  readonly shareBp: number;
}

/** What a key must see where several variants own lanes, one after another: as shares of 2³², each rounded down. */
export function plainLane(salt: string, key: string, lanes: readonly PlainLane[]): { variant: string; control: boolean } {
  const bucket = BigInt(plainBucket(salt, key));
  const placeOf = (bp: number): bigint => (BigInt(bp) * 2n ** 32n) / 10_000n;
  const whole = lanes.find(({ shareBp }) => shareBp === 10_000);
  if (whole !== undefined) return { variant: whole.name, control: false };
  let fromBp = 0;
  for (const { name, widthBp, shareBp } of lanes) {
    const [from, to, end] = [placeOf(fromBp), placeOf(fromBp + shareBp), placeOf(fromBp + widthBp)];
    fromBp += widthBp;
    if (bucket >= from && bucket < to) return { variant: name, control: false };
    const size = to - from < end - to ? to - from : end - to;
    if (bucket >= to && bucket < end) return { variant: "stable", control: bucket >= end - size };
  }
  return { variant: "stable", control: false };
}
