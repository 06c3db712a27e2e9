import process from "node:process";
import { expect, test } from "vitest";
import { MessageCutter, withPrefix } from "../../../../src/sidecar/h2/messages.ts";

/** Cuts, and tells the messages that come out. */
function cutter() {
  const cut = new MessageCutter();
  const found: string[] = [];
  const sink = { message: (bytes: Buffer, from: number, to: number) => void found.push(bytes.toString("latin1", from, to)) };
  return { found, take: (bytes: Buffer) => cut.take(bytes, sink), isPartial: () => cut.isPartial };
}

test("a message comes out whole, in whatever pieces it came in, and what follows it is held", () => {
  const message = "0123456789".repeat(20);
  const two = Buffer.concat([withPrefix(Buffer.from(message)), withPrefix(Buffer.from(message))]);
  for (let size = 1; size <= two.length; size += 1) {
    const { found, take, isPartial } = cutter();
    for (let at = 0; at < two.length; at += size) take(two.subarray(at, at + size));
    expect(found).toEqual([message, message]);
    expect(isPartial()).toBe(false);
  }
});

test("empty pieces in the middle of a message cost nothing, and single bytes little more than their message", () => {
  const { found, take, isPartial } = cutter();
  const message = "x".repeat(1_000_000);
  const all = withPrefix(Buffer.from(message));
  const nothing = Buffer.alloc(0);
  const before = heldBytes();
  for (let at = 0; at < all.length - 1; at += 1) {
    take(all.subarray(at, at + 1));
    take(nothing);
  }
  expect(isPartial()).toBe(true);
  // Two million pieces that were kept would take hundreds.
  expect(heldBytes() - before).toBeLessThan(60_000_000);
  take(all.subarray(-1));
  expect(found[0] === message).toBe(true);
});

const heldBytes = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
