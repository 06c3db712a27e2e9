/**
 * Lengths in bits of HPACK's Huffman codes for the bytes 0 to 255, one digit to base 32 each (RFC 7541, appendix B). The codes
 * follow from them: shorter ones first, and by byte among equals. The end mark has 30 bits, all ones.
 */
const LENGTHS =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca" +
  "d67777777777777777777777878djde6f56565666577666567655677777fbeds" +
  "kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn" +
  "qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq";

const LONGEST = 30;

/** Decodes Huffman-coded bytes [from, to); undefined when they are none. */
export type HuffmanDecode = (bytes: Uint8Array, from: number, to: number) => string | undefined;

/** Makes a decoder; the tables take some microseconds, so make it once. */
export function createHuffman(): HuffmanDecode {
  const { first, offset, symbols } = canonical();
  return (bytes, from, to) => {
    let text = "";
    let code = 0;
    let bits = 0;
    for (let at = from; at < to; at += 1) {
      const byte = bytes[at] ?? 0;
      for (let bit = 7; bit >= 0; bit -= 1) {
        code = (code << 1) | ((byte >>> bit) & 1);
        bits += 1;
        if (bits > LONGEST) return undefined;
        const symbol = symbols[(offset[bits] ?? 0) + code - (first[bits] ?? 0)];
        if (code < (first[bits] ?? 0) || code >= (first[bits] ?? 0) + (offset[bits + 1] ?? 0) - (offset[bits] ?? 0)) continue;
        if (symbol === undefined) return undefined;
        text += String.fromCharCode(symbol);
        code = 0;
        bits = 0;
      }
    }
    // What is left over fills the last byte: fewer than eight bits, all ones.
    return bits < 8 && code === (1 << bits) - 1 ? text : undefined;
  };
}

/** For each length: its first code, and where its symbols begin in the list of all symbols in the order of their codes. */
function canonical(): { first: number[]; offset: number[]; symbols: number[] } {
  const byLength: number[][] = Array.from({ length: LONGEST + 2 }, () => []);
  for (let symbol = 0; symbol < LENGTHS.length; symbol += 1) byLength[Number.parseInt(LENGTHS.charAt(symbol), 32)]?.push(symbol);
  const first: number[] = [];
  const offset: number[] = [];
  const symbols: number[] = [];
  let code = 0;
  for (const [length, found] of byLength.entries()) {
    first[length] = code;
    offset[length] = symbols.length;
    symbols.push(...found);
    code = (code + found.length) << 1;
  }
  return { first, offset, symbols };
}
