import { describe, expect, test } from "vitest";
import type { JudgeRecord, LiveState } from "../../../src/contract/live.ts";
import { createScreen } from "../../../src/demo/screen.ts";
import type { SeenRequest } from "../../../src/demo/traffic.ts";
import { type Picture, pictureBlock, pictureLine } from "../../../src/demo/view.ts";

const answer = (seen: SeenRequest["seen"], endMs: number, status = 200): SeenRequest => ({
  host: "h",
  user: "u",
  startMs: endMs - 2,
  endMs,
  status,
  seen,
});

const live: LiveState = {
  format: 1,
  rollout: "shop",
  planSequence: 1,
  plan: { phase: "stage", run: 3, firstRun: 1, sinceMs: 0, stage: 1, begunAtMs: 10 },
  shareBp: 2_500,
  revision: { epoch: 1, revision: 3 },
  updatedAtMs: 0,
  commands: [],
  outbox: [],
};

const none = { decided: 0, settled: 0, requests: 0, failed: 0 };
const judge = (firstRun: number): JudgeRecord => ({
  format: 1,
  rollout: "shop",
  firstRun,
  judge: {},
  cursors: {},
  totals: { stable: none, canary: none, control: none },
  shareSeenBp: null,
  verdict: {
    verdict: "hold",
    reason: "47 of 200 outcomes",
    proven: "",
    odds: 1,
    alpha: 0.01,
    inputs: "",
    safeShareBp: 1_000,
    checks: [],
    unended: { stable: 0, canary: 0 },
    atMs: 0,
    sinceMs: 0,
    run: 3,
    runSample: 47,
  },
});

const picture = (more: Partial<Picture> = {}): Picture => ({
  title: "act 1",
  live,
  judge: judge(1),
  // One answer of long ago, then three stable and one failed canary in the last second.
  requests: [
    answer("canary", 3_000),
    answer("stable", 9_100),
    answer("stable", 9_200),
    answer("stable", 9_300),
    answer("canary", 9_400, 503),
  ],
  nowMs: 10_000,
  busyPercent: 41.4,
  ...more,
});

describe("the picture of a moment", () => {
  test("as a block shows stage, shares, counts, verdict and machine", () => {
    expect(pictureBlock(picture())).toEqual([
      "act 1: stage 2 of 4",
      "  share        set 25 %, seen 25 %",
      "  last second  stable 3 (0 failed), canary 1 (1 failed)",
      "  so far       stable 3 (0 failed), canary 2 (1 failed)",
      "  verdict      hold, safe to 10 %: 47 of 200 outcomes",
      "  machine      41 % busy, 4 requests in the last second",
    ]);
  });

  test("as a line shows the same in short", () => {
    expect(pictureLine(picture())).toBe(
      "act 1: stage 2 of 4: share set 25 %, seen 25 % | last second: stable 3 (0 failed), canary 1 (1 failed) | hold, safe to 10 %: 47 of 200 outcomes",
    );
  });

  test("has no verdict of an earlier attempt", () => {
    expect(pictureLine(picture({ judge: judge(0) }))).toContain("| no verdict yet");
  });

  test("before the rollout says that it warms up", () => {
    expect(pictureLine(picture({ live: undefined }))).toBe("act 1: warming up | last second: stable 3 (0 failed)");
  });
});

describe("the screen", () => {
  const shown = (columns: number | undefined) => {
    const texts: string[] = [];
    return { texts, screen: createScreen({ write: (text) => texts.push(text), columns: () => columns }) };
  };

  test("on a terminal draws over the picture before, and over nothing else", () => {
    const { texts, screen } = shown(200);
    screen.say("hello");
    screen.draw(picture());
    screen.draw(picture());
    screen.say("bye");
    screen.draw(picture());
    const first = ["hello\n", texts[1] ?? ""];
    expect(texts).toEqual([
      ...first,
      `\u001b[6A\u001b[J${texts[1] ?? ""}`,
      "\u001b[6A\u001b[Jbye\n",
      // What was said stays.
      texts[1] ?? "",
    ]);
    expect(texts[1]).toMatch(/^act 1/);
  });

  test("cuts lines that a terminal would break", () => {
    const { texts, screen } = shown(20);
    screen.draw(picture());
    expect(
      (texts[0] ?? "")
        .trimEnd()
        .split("\n")
        .every((line) => line.length < 20),
    ).toBe(true);
  });

  test("in a log adds a line and no codes", () => {
    const { texts, screen } = shown(undefined);
    screen.draw(picture());
    screen.draw(picture());
    expect(texts).toEqual([`${pictureLine(picture())}\n`, `${pictureLine(picture())}\n`]);
  });
});
