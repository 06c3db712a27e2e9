/** Protobuf fields as bytes, for answers that are made ahead of time: plain and composable, not fast. */

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** A field with a length: a message, a string or bytes. */
export function lengthField(number: number, content: Uint8Array | string): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** An enum or a bool. */
export const varintField = (number: number, value: number): Buffer => Buffer.concat([varint(number * 8), varint(value)]);

/** A double; zero is written too, so that it can be written over. */
export function doubleField(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint(number * 8 + 1), bytes]);
}
