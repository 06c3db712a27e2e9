import { expect, test } from "vitest";
import { keysIn } from "../../../../src/cli/live/keys.ts";

test.each([
  { sent: "n", keys: [{ type: "text", text: "n" }] },
  { sent: "\u001b[A", keys: [{ type: "up" }] },
  { sent: "\u001bOB", keys: [{ type: "down" }] },
  { sent: "\u001b", keys: [{ type: "escape" }] },
  { sent: "\u001b[15~", keys: [{ type: "other" }] },
  { sent: "\t", keys: [{ type: "other" }] },
  { sent: "\u0003", keys: [{ type: "interrupt" }] },
  { sent: "ö😀\r", keys: [{ type: "text", text: "ö" }, { type: "text", text: "😀" }, { type: "enter" }] },
  { sent: "a\u007f\u001b[B", keys: [{ type: "text", text: "a" }, { type: "erase" }, { type: "down" }] },
])("$sent is $keys", ({ sent, keys }) => {
  expect(keysIn(sent)).toEqual(keys);
});
