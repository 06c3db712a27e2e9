import { describe, expect, test } from "vitest";
import type { Audit } from "../../../src/contract/messages.ts";
import type { SeriesPoint, StreamEvent } from "../../../src/contract/stream.ts";
import { NOTHING, withEvent, withLines, withSeries } from "../../../src/ui/model.ts";

const audit = (id: string, atMs: number): Audit => ({
  format: 1,
  id,
  atMs,
  rollout: "cart",
  action: "stage",
  who: { name: "ann", claimed: false },
});
const point = (atMs: number): SeriesPoint => ({ atMs, shareBp: 100, shareSeenBp: 90, verdict: "hold", checks: [] });
// Only what the model reads of it.
const rolloutEvent = (phase: string, atMs: number | null): StreamEvent =>
  ({
    type: "rollout",
    phase: `in ${phase}`,
    rollout: {
      name: "cart",
      plan: { phase, firstRun: 1 },
      shareBp: 100,
      judge: atMs === null ? null : { shareSeenBp: 90, verdict: { verdict: "hold", atMs, checks: [] } },
    },
  }) as unknown as StreamEvent;

const hello: StreamEvent = { type: "hello", name: "ann", role: "view", controller: "a" };
const mesh = (problem: string | null): StreamEvent => ({ type: "mesh", nowMs: 61_000, leader: null, orders: [], freeze: null, problem });

const after = (...events: StreamEvent[]) => events.reduce((model, event) => withEvent(model, event, 1_000), NOTHING);

describe("what the page knows", () => {
  test("stands after an interruption until all is told anew, so that nobody loses what they are about to say", () => {
    const [known, again] = [rolloutEvent("stage", 5_000), rolloutEvent("stage", 6_000)];
    for (const events of [[], [again], [mesh(null)], [mesh("NATS does not answer"), mesh(null)], [mesh(null), again, mesh(null)]])
      expect(after(known, mesh(null), hello, ...events).rollouts.has("cart")).toBe(true);
  });

  test("loses what was deleted during an interruption, and keeps what was gathered for charts", () => {
    const model = after(rolloutEvent("stage", 5_000), mesh(null), hello, mesh(null), mesh(null));
    expect([model.rollouts.size, model.series.get("cart")]).toEqual([0, [point(5_000)]]);
  });

  test("says aloud that a rollout is in another phase, and not that it is judged again", () => {
    expect(after(rolloutEvent("stage", 5_000)).said).toBe("");
    expect(after(rolloutEvent("stage", 5_000), rolloutEvent("stage", 6_000)).said).toBe("");
    expect(after(rolloutEvent("stage", 5_000), rolloutEvent("rollingBack", 6_000)).said).toBe("cart: in rollingBack");
  });

  test("goes by the controller's clock", () => {
    expect(after(mesh(null)).aheadMs).toBe(60_000);
  });

  test("holds a line of the audit once, in order, however it came", () => {
    const model = withLines(after({ type: "audit", line: audit("b", 2) }), "cart", [audit("a", 1), audit("b", 2)]);
    expect(model.audit.get("cart")?.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  test("goes on from what the leader remembers", () => {
    const model = withSeries(after(rolloutEvent("stage", 5_000), rolloutEvent("stage", 9_000)), "cart", [point(3_000), point(5_000)]);
    expect(model.series.get("cart")?.map(({ atMs }) => atMs)).toEqual([3_000, 5_000, 9_000]);
  });

  test("forgets a rollout that is gone", () => {
    expect(after(rolloutEvent("stage", null), { type: "gone", name: "cart" }).rollouts.size).toBe(0);
  });
});
