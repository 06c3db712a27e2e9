import { describe, expect, test } from "vitest";
import { LiveStateSchema } from "../../../src/contract/live.ts";
import type { Audit, Reply } from "../../../src/contract/messages.ts";
import { isNothing, liveAfter, replyTo, type StepContext, withoutSent, withReply } from "../../../src/controller/live-rules.ts";
import { liveOf, planState } from "./builders.ts";

const live = liveOf("cart", planState("stage"));
const promoting = planState("promoting");
const reply = (id: string): Reply => ({ format: 1, id, result: "done", message: "done" });

function context(): StepContext {
  let ids = 0;
  const auditId = (): string => `id-${(ids += 1)}`;
  return { nowMs: 9, who: { name: "ann", claimed: true }, stages: 1, next: { epoch: 100, revision: 6 }, auditId };
}

describe("live state after a step", () => {
  const effects = [
    { type: "serve", run: 4, shareBp: 10_000, off: false },
    { type: "audit", action: "promote", reason: "passed" },
  ] as const;
  const after = liveAfter(live, { state: promoting, effects }, context());

  test("serves the share with the revision of the manifest that comes next", () => {
    expect([after.shareBp, after.revision, after.plan]).toEqual([10_000, { epoch: 100, revision: 6 }, promoting]);
  });

  test("owes the audit a record with the run and share that the step led to", () => {
    expect(after.outbox).toMatchObject([{ id: "id-1", action: "promote", reason: "passed", run: 3, shareBp: 10_000, atMs: 9 }]);
  });

  test("and with where it stands now, and stood before", () => {
    expect(after.outbox).toMatchObject([
      { attempt: 1, phase: "promoting", before: { phase: "stage", stage: 1, of: 1, shareBp: live.shareBp } },
    ]);
    const same = liveAfter(
      live,
      { state: planState("stage"), effects: [{ type: "audit", action: "begun", reason: "all obey" }] },
      context(),
    );
    expect(same.outbox).toEqual([expect.not.objectContaining({ before: expect.anything() })]);
    expect(same.outbox).toMatchObject([{ phase: "stage", stage: 1, of: 1 }]);
  });

  test("which is no stage where a ramp or the promotion waits", () => {
    const paused = liveAfter(live, { state: planState("paused"), effects }, { ...context(), stages: 0 });
    expect(paused.outbox).toEqual([expect.not.objectContaining({ stage: expect.anything() })]);
  });

  test("fits its schema", () => {
    expect(LiveStateSchema.safeParse(after).success).toBe(true);
  });

  test("keeps the revision when nothing else is served", () => {
    expect(liveAfter(live, { state: promoting, effects: [] }, context()).revision).toEqual(live.revision);
  });

  test("has no share once the rule is removed", () => {
    const handedOver = liveAfter(live, { state: planState("handedOver"), effects: [{ type: "remove" }] }, context());
    expect([handedOver.shareBp, handedOver.revision.revision]).toEqual([0, 6]);
  });
});

test.each([
  { title: "the same state without effects is nothing", state: planState("stage"), effects: [], nothing: true },
  { title: "another state is something", state: promoting, effects: [], nothing: false },
  {
    title: "an effect is something",
    state: planState("stage"),
    effects: [{ type: "audit", action: "note", reason: "" } as const],
    nothing: false,
  },
])("$title", ({ state, effects, nothing }) => {
  expect(isNothing(live, { state, effects })).toBe(nothing);
});

describe("answers", () => {
  test("are found again by the command's id", () => {
    const kept = withReply(live, reply("first-command"));
    expect([replyTo(kept, "first-command"), replyTo(kept, "other-command")]).toEqual([reply("first-command"), undefined]);
  });

  test("are kept for the last 32 commands", () => {
    const kept = Array.from({ length: 33 }, (_, index) => reply(`command-${index}`)).reduce(withReply, live);
    expect([kept.commands.length, replyTo(kept, "command-0"), replyTo(kept, "command-1")]).toEqual([32, undefined, reply("command-1")]);
  });
});

describe("the outbox", () => {
  const record = (id: string): Audit => ({ format: 1, id, atMs: 0, rollout: "cart", action: "stage", who: { name: "a", claimed: false } });

  test("loses what was sent", () => {
    const kept = withoutSent({ ...live, outbox: [record("a"), record("b")] }, new Set(["a"]));
    expect([kept.live.outbox.map(({ id }) => id), kept.lost]).toEqual([["b"], 0]);
  });

  test("gives the oldest up when the audit is away for too long, and says how many", () => {
    const outbox = Array.from({ length: 66 }, (_, index) => record(`id-${index}`));
    const kept = withoutSent({ ...live, outbox }, new Set());
    expect([kept.live.outbox.length, kept.live.outbox[0]?.id, kept.lost]).toEqual([64, "id-2", 2]);
  });
});
