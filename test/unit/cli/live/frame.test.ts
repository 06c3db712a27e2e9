import { expect, test } from "vitest";
import { openFrame, type Terminal } from "../../../../src/cli/live/frame.ts";
import type { Line } from "../../../../src/cli/live/lines.ts";

/** A terminal that keeps what was written, and what is to be written should the program end. */
function createTerminal(): Terminal & { size: { columns: number; rows: number }; take(): string; atEnd: Set<string> } {
  let written = "";
  const size = { columns: 10, rows: 4 };
  const atEnd = new Set<string>();
  return {
    size,
    atEnd,
    columns: () => size.columns,
    rows: () => size.rows,
    isColoured: false,
    write: (text) => {
      written += text;
    },
    take() {
      const taken = written;
      written = "";
      return taken;
    },
    onResize: () => () => undefined,
    atExit(text) {
      atEnd.add(text);
      return () => void atEnd.delete(text);
    },
  };
}

const lines = (...texts: string[]): Line[] => texts.map((text) => [text]);
const LEAVE = "\u001b[?25h\u001b[?1049l";

test("a frame writes only the lines that changed, each at its place", () => {
  const terminal = createTerminal();
  const frame = openFrame(terminal);
  frame.draw(lines("a", "b", "c"));
  terminal.take();
  frame.draw(lines("a", "x", "c"));
  expect(terminal.take()).toBe("\u001b[2;1Hx\u001b[K");
  frame.draw(lines("a", "x", "c"));
  expect(terminal.take()).toBe("");
});

test("what was below goes when there are fewer lines, and what does not fit is left out", () => {
  const terminal = createTerminal();
  const frame = openFrame(terminal);
  frame.draw(lines("a", "b", "c", "d", "e"));
  expect(terminal.take()).not.toContain("e");
  frame.draw(lines("a", "b"));
  expect(terminal.take()).toBe("\u001b[3;1H\u001b[J");
});

test("another size is drawn anew, to its width", () => {
  const terminal = createTerminal();
  const frame = openFrame(terminal);
  frame.draw(lines("abcdef"));
  terminal.take();
  terminal.size.columns = 4;
  frame.draw(lines("abcdef"));
  expect(terminal.take()).toBe("\u001b[1;1Habc…\u001b[K\u001b[2;1H\u001b[J");
});

test("a closed frame leaves the terminal as it was, and its last picture", () => {
  const terminal = createTerminal();
  const frame = openFrame(terminal);
  frame.draw(lines("a", "b"));
  terminal.take();
  frame.close();
  expect(terminal.take()).toBe(`${LEAVE}a\r\nb\r\n`);
});

test("nothing is drawn over a terminal that was given back", () => {
  const terminal = createTerminal();
  const frame = openFrame(terminal);
  frame.close();
  terminal.take();
  frame.draw(lines("late"));
  expect(terminal.take()).toBe("");
});

test("should the program end before, the terminal is given back too, and only then", () => {
  const terminal = createTerminal();
  const frame = openFrame(terminal);
  expect([...terminal.atEnd]).toEqual([LEAVE]);
  frame.close();
  expect([...terminal.atEnd]).toEqual([]);
});
