import { describe, expect, test } from "vitest";
import { documentOf } from "./builders.ts";
import { Play } from "./play.ts";

const document = documentOf("cart", { strategy: { type: "canary", stages: [{ share: "10%", minTime: "1h", minSample: 20 }] } });
/** As many an hour as fail in these tests: half of the canary's 100 requests in each 100 ms. */
const BROKEN = { bucket: 7, hourly: 50 * 10 * 3_600 };

/** A rollout whose canary fails half of its requests, all of them of one user. */
async function failingForOne(brokenUser: Play["brokenUser"]): Promise<Play> {
  const play = new Play(Number.POSITIVE_INFINITY);
  play.brokenUser = brokenUser;
  await play.apply(document);
  await play.until("in its stage", () => play.live?.plan.phase === "stage");
  play.canaryFailed = 50;
  return play;
}
/** Judged for so many seconds more. */
async function goesOn(play: Play, seconds: number): Promise<void> {
  const fromMs = play.judged?.verdict?.atMs ?? play.nowMs;
  await play.until("judged on", () => (play.judged?.verdict?.atMs ?? 0) >= fromMs + seconds * 1_000);
}
/** Ratio on the canary, of requests of users that did not fail before. */
const errorsOf = (play: Play) => play.judged?.verdict?.checks.find(({ name }) => name === "errors")?.canary;
const goesBack = (play: Play): Promise<void> => play.until("rolled back", () => play.live?.plan.phase === "rolledBack");

describe("a canary that fails one user's requests", () => {
  test("goes on where that user failed at this pace before", async () => {
    const play = await failingForOne(BROKEN);
    await goesOn(play, 20);
    expect([play.live?.plan.phase, errorsOf(play)]).toEqual(["stage", 0]);
  });

  test.each([
    { title: "never failed before", hourly: 0 },
    { title: "failed now and then", hourly: 20 },
  ])("goes back at once where that user $title", async ({ hourly }) => {
    const play = await failingForOne({ ...BROKEN, hourly });
    const sinceMs = play.nowMs;
    await goesBack(play);
    expect(play.nowMs - sinceMs).toBeLessThan(2_000);
  });

  test("goes on under a new leader too, which judges when it has heard who failed before", async () => {
    const play = await failingForOne(BROKEN);
    await play.until("judged", () => (play.judged?.verdict?.runSample ?? 0) > 1_000);
    const { atMs: judgedMs = 0 } = play.judged?.verdict ?? {};
    play.kill();
    play.brokenUser = undefined;
    for (let turns = 0; turns < 20; turns += 1) await play.turn();
    expect(play.judged?.verdict?.atMs).toBe(judgedMs);
    play.brokenUser = BROKEN;
    await goesOn(play, 10);
    expect([play.terms, play.live?.plan.phase, errorsOf(play)]).toEqual([2, "stage", 0]);
  });

  test("goes back at once under a new leader where more users fail than were known to, whoever has not told it yet", async () => {
    const play = await failingForOne(BROKEN);
    await play.until("judged", () => (play.judged?.verdict?.runSample ?? 0) > 1_000);
    play.kill();
    play.brokenUser = undefined;
    play.newUsersFail = true;
    play.canaryFailed = 100;
    const sinceMs = play.nowMs;
    await goesBack(play);
    expect([play.terms, play.nowMs - sinceMs < 2_000]).toEqual([2, true]);
  });
});
