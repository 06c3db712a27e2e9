import { describe, expect, test } from "vitest";
import { type ShareChange, sharesIn, tally } from "../../../src/demo/tally.ts";
import type { SeenRequest } from "../../../src/demo/traffic.ts";

const change = (shareBp: number, issuedMs: number, obeyedMs: number | undefined, isRollback = false): ShareChange => ({
  shareBp,
  issuedMs,
  obeyedMs,
  isRollback,
});
const CHANGES = [change(100, 1_000, 1_010), change(5_000, 2_000, 2_010), change(0, 3_000, 3_010, true)];

const seen = (startMs: number, variant: SeenRequest["seen"], more: Partial<SeenRequest> = {}): SeenRequest => ({
  host: "h",
  user: "u",
  startMs,
  endMs: startMs + 5,
  status: 200,
  seen: variant,
  ...more,
});

describe("the shares that a request may see", () => {
  test.each([
    { title: "before the first rule: none", startMs: 500, endMs: 505, shares: [0] },
    { title: "between two changes: exactly one", startMs: 1_500, endMs: 1_505, shares: [100] },
    { title: "while sidecars take a change over: both", startMs: 2_003, endMs: 2_006, shares: [100, 5_000] },
    { title: "when its life meets the change at the end", startMs: 1_990, endMs: 2_000, shares: [100, 5_000] },
    { title: "when the last sidecar obeyed before it began: the new one", startMs: 2_012, endMs: 2_020, shares: [5_000] },
    { title: "after a rollback: none", startMs: 3_500, endMs: 3_505, shares: [0] },
  ])("$title", ({ startMs, endMs, shares }) => {
    expect(sharesIn(CHANGES, startMs, endMs)).toEqual(shares);
  });

  test("an earlier share stays possible until the last sidecar has confirmed the next", () => {
    expect(sharesIn([change(100, 1_000, 1_010), change(5_000, 2_000, undefined)], 9_000, 9_005)).toEqual([100, 5_000]);
  });
});

describe("a tally", () => {
  const expected = (_salt: string, _user: string, shareBp: number) => (shareBp >= 5_000 ? "canary" : "stable");
  const count = (requests: readonly SeenRequest[]) => tally(requests, CHANGES, { salt: "s", expected });

  test("finds a request that saw what no share in force allows", () => {
    expect(count([seen(1_500, "canary"), seen(1_500, "stable"), seen(2_500, "stable"), seen(2_500, "canary")]).misrouted).toBe(2);
  });

  test("counts a user once who saw canary and then stable while the share grew", () => {
    expect(
      count([seen(2_100, "canary"), seen(2_200, "stable"), seen(2_300, "stable"), seen(2_100, "stable", { user: "v" })]).movedBack,
    ).toBe(1);
  });

  test("does not count the way home after a rollback, nor answers that overlap", () => {
    expect(count([seen(2_100, "canary"), seen(2_103, "stable"), seen(3_100, "stable")]).movedBack).toBe(0);
  });

  test("counts failures that users saw: errors of the server and no answer at all", () => {
    expect(
      count([seen(2_100, "canary", { status: 503 }), seen(2_100, undefined, { status: 0 }), seen(2_100, "stable", { status: 404 })])
        .failedRequests,
    ).toBe(2);
  });

  test("counts a rescued request as the canary's, which its user was sent to, and as no failure", () => {
    const counted = count([seen(2_100, "stable", { rescued: true }), seen(2_200, "canary"), seen(2_300, "stable", { rescued: true })]);
    expect(counted).toMatchObject({ rescued: 2, failedRequests: 0, misrouted: 0, movedBack: 0 });
    expect(counted.stages[1]).toMatchObject({ shareSeen: 10_000, requests: 3 });
  });

  test("tells for each stage what was set and what was seen in it", () => {
    const { stages } = count([seen(2_100, "canary"), seen(2_200, "canary"), seen(2_300, "stable"), seen(2_004, "stable")]);
    expect(stages[1]).toEqual({ shareSet: 5_000, shareSeen: 6_667, seconds: 1, requests: 3 });
  });

  test("calls a run at 0 % before the first stage no stage, but the way back one", () => {
    const changes = [change(0, 500, 505), ...CHANGES];
    const { stages } = tally([seen(3_100, "stable")], changes, { salt: "s", expected });
    expect(stages.map(({ shareSet, shareSeen }) => [shareSet, shareSeen])).toEqual([
      [100, null],
      [5_000, null],
      [0, 0],
    ]);
  });
});
