import { describe, expect, test } from "vitest";
import { paint, plain } from "../../../../src/cli/live/lines.ts";

describe("a line", () => {
  test.each([
    { title: "is left alone where it fits", line: ["abc"], columns: 3, painted: "abc" },
    { title: "is cut with a mark where it does not", line: ["abcd"], columns: 3, painted: "ab…" },
    { title: "is cut between its pieces as one", line: ["ab", "cd", "ef"], columns: 3, painted: "abc…".slice(0, 2) + "…" },
    { title: "counts wide characters as two columns", line: ["日本語"], columns: 5, painted: "日本…" },
    { title: "keeps what belongs to one character together", line: ["👨‍👩‍👧x"], columns: 2, painted: "…" },
    { title: "vanishes where there is no room", line: ["abc"], columns: 0, painted: "" },
  ])("$title", ({ line, columns, painted }) => {
    expect(paint(line, columns, false)).toBe(painted);
  });

  test("neither moves the cursor nor turns the direction of writing, whatever people wrote", () => {
    expect(paint(["a\u001b[2Jb\r\nc\u202ed\u0007"], 40, true)).toBe("a·[2Jb··c·d·");
  });

  test("has its styles only where colour is wanted, and they take no room", () => {
    const line = [["ab", "red"], "cd"] as const;
    expect(paint(line, 4, true)).toBe("\u001b[31mab\u001b[39mcd");
    expect(paint(line, 4, false)).toBe("abcd");
    expect(plain(line)).toBe("abcd");
  });
});
