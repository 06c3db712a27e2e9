import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LiveState } from "../../../src/contract/live.ts";
import type { SourcedReport } from "../../../src/controller/judging.ts";
import { PrometheusSource } from "../../../src/controller/prometheus-source.ts";
import type { PrometheusSeries } from "../../../src/io/prometheus-api.ts";
import { liveOf, planState } from "./builders.ts";

const EVERY_MS = 1_000;
const labels = {
  __name__: "serin_outcomes_total",
  instance: "a:1",
  rollout: "cart",
  variant: "canary",
  run: "3",
  control: "false",
  class: "ok",
};
const answer: PrometheusSeries[] = [{ labels, points: [[5, 7]] }];

type Say = (fields: object, message: string) => void;

let source: PrometheusSource | undefined;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  source?.stop();
  vi.useRealTimers();
});

function started(instant: (query: string) => Promise<readonly PrometheusSeries[]>, rollouts: readonly LiveState[]) {
  const heard = vi.fn<(reports: readonly SourcedReport[]) => void>();
  const [warn, info] = [vi.fn<Say>(), vi.fn<Say>()];
  const api = { instant: vi.fn<typeof instant>(instant), range: () => Promise.reject(new Error("not asked")) };
  // Only what is said at these two levels is looked at.
  source = new PrometheusSource({ api, everyMs: EVERY_MS, log: { warn, info } as never, rollouts: () => rollouts, heard });
  const said = (): unknown[] => [...warn.mock.calls, ...info.mock.calls].map(([, message]) => message);
  return { api, heard, said };
}

const rounds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * EVERY_MS);
const inStage = liveOf("cart", planState("stage"), { shareBp: 500 });

describe("counts from Prometheus", () => {
  test("are asked for each judged rollout, again and again, until it stops", async () => {
    const play = started(() => Promise.resolve(answer), [inStage, liveOf("old", planState("rolledBack"))]);
    await rounds(3);
    source?.stop();
    await rounds(3);
    expect(play.api.instant.mock.calls.map(([query]) => /rollout="(\w+)"/.exec(query)?.[1])).toEqual(["cart", "cart", "cart"]);
    expect(play.heard.mock.calls.flatMap(([reports]) => reports.map(({ sidecar }) => sidecar))).toEqual([
      "prometheus/a:1",
      "prometheus/a:1",
      "prometheus/a:1",
    ]);
    expect(play.said()).toEqual([]);
  });

  test("that do not come are said once, and once that they come again", async () => {
    let isAway = true;
    const play = started(() => (isAway ? Promise.reject(new Error("away")) : Promise.resolve(answer)), [inStage]);
    await rounds(3);
    isAway = false;
    await rounds(2);
    expect(play.said()).toEqual(["Prometheus does not answer: no evidence, so nothing advances; trying again", "Prometheus answers again"]);
    expect(play.heard).toHaveBeenCalledTimes(2);
  });

  test("of one rollout that cannot be had keep nobody from those of the next", async () => {
    const other = liveOf("other", planState("stage"), { shareBp: 500 });
    const play = started(
      (query) => (query.includes('"cart"') ? Promise.reject(new Error("too many series")) : Promise.resolve(answer)),
      [inStage, other],
    );
    await rounds(2);
    expect(play.heard).toHaveBeenCalledTimes(2);
    expect(play.said()).toHaveLength(1);
  });

  test("are not asked for twice at once", async () => {
    const play = started(() => new Promise(() => undefined), [inStage]);
    await rounds(4);
    expect(play.api.instant).toHaveBeenCalledTimes(1);
  });

  test("of which there are none are said once where a share is served", async () => {
    const pending = liveOf("fresh", planState("pending"), { shareBp: 0 });
    const play = started(() => Promise.resolve([]), [inStage, pending]);
    await rounds(3);
    expect(play.said()).toEqual(["Prometheus knows no counts of this rollout; does it scrape the sidecars' --metrics?"]);
    expect(play.heard).not.toHaveBeenCalled();
  });
});
