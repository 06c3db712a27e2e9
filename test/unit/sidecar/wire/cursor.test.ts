import { expect, test } from "vitest";
import { Cursor } from "../../../../src/sidecar/wire/cursor.ts";
import { lengthField } from "../../../../src/sidecar/wire/writer.ts";

const cursor = new Cursor();

/** Reads a string as the content of field 1. */
function read(text: string): string {
  const bytes = lengthField(1, text);
  cursor.reset(bytes, 1, bytes.length);
  return cursor.string();
}

test("a string is itself, whatever strings were read before: also when its bytes are another's letters", () => {
  const texts = Array.from({ length: 1_900 }, (_, index) => `x${String.fromCharCode(0xa1 + index)}é`);
  const twins = texts.map((text) => Buffer.from(text).toString("latin1"));
  for (const text of [...twins, ...texts, ...twins, "plain", "plain"]) expect(read(text)).toBe(text);
});
