import { describe, expect, test } from "vitest";
import { beatState, createBeat } from "../../../src/sidecar/beat.ts";

const lease = (beat: number, renewedAtMs: number, term = 1) => ({ format: 1, holder: "c", term, beat, renewedAtMs }) as const;

function setup(): { now: { wall: number; steady: number }; beat: ReturnType<typeof createBeat> } {
  const now = { wall: 1_000_000, steady: 0 };
  return { now, beat: createBeat({ nowMs: () => now.wall, monotonicMs: () => now.steady }) };
}

describe("the age of the beat", () => {
  test("is unknown before the first word of any", () => {
    expect(setup().beat.ageMs()).toBeUndefined();
  });

  test("begins with the lease's own age, which may be long dead", () => {
    const { beat } = setup();
    beat.heard(lease(7, 1_000_000 - 40_000));
    expect(beat.ageMs()).toBe(40_000);
  });

  test("is young again only when the beat has changed, not when the same lease is read again", () => {
    const { beat, now } = setup();
    beat.heard(lease(7, 1_000_000));
    now.steady = 9_000;
    beat.heard(lease(7, 1_000_000));
    expect(beat.ageMs()).toBe(9_000);
    beat.heard(lease(8, 1_000_000));
    expect(beat.ageMs()).toBe(0);
  });

  test("is zero with a lease that is pushed, whatever the leader's clock says", () => {
    const { beat } = setup();
    beat.heard(lease(7, 1_000_000 - 3_600_000), "pushed");
    expect(beat.ageMs()).toBe(0);
  });

  test("counts from the renewal when a changed lease is read, for the leader may have died since", () => {
    const { beat, now } = setup();
    beat.heard(lease(1, 1_000_000), "pushed");
    now.wall += 60_000;
    now.steady += 60_000;
    beat.heard(lease(11, 1_010_000), "read");
    expect(beat.ageMs()).toBe(50_000);
  });

  test("does not grow with an old lease from a replica that lags, nor with a leader's clock that is behind", () => {
    const { beat, now } = setup();
    beat.heard(lease(11, 1_000_000), "pushed");
    now.steady = 200;
    beat.heard(lease(9, 1_000_000 - 40_000), "read");
    expect(beat.ageMs()).toBe(200);
  });

  test("goes on over a restart with the age that the rules on disk have", () => {
    const { beat, now } = setup();
    beat.startAt(28_000);
    now.steady = 3_000;
    expect(beat.ageMs()).toBe(31_000);
  });

  test("does not care for a wall clock that jumps", () => {
    const { beat, now } = setup();
    beat.heard(lease(1, 1_000_000));
    now.wall += 3_600_000;
    now.steady = 100;
    expect(beat.ageMs()).toBe(100);
  });
});

test.each([
  [undefined, "ok"],
  [5_000, "ok"],
  [5_001, "stale"],
  [30_000, "stale"],
  [30_001, "unwatched"],
] as const)("an age of %s ms is %s", (ageMs, state) => {
  expect(beatState(ageMs, { staleAfterMs: 5_000, unwatchedAfterMs: 30_000 })).toBe(state);
});
