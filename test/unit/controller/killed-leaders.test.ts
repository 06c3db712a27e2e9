import { describe, expect, test } from "vitest";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { documentOf } from "./builders.ts";
import { Play } from "./play.ts";
import { badOne, goodOne, story } from "./stories.ts";

/** A stage that nothing passes here. */
const longStage: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "10%", minTime: "1h" }] };
const longDocument = documentOf("cart", { strategy: longStage });

const hasBegun = ({ live }: Play, run: number): boolean =>
  live?.plan.phase === "stage" && live.plan.run === run && live.plan.begunAtMs !== null;

/** A new version takes the place of one that runs. */
async function replacedOne(play: Play): Promise<void> {
  await play.apply({ ...longDocument, onNewVersion: "replace" });
  await play.until("begun", () => hasBegun(play, 2));
  await play.apply({ ...longDocument, onNewVersion: "replace", salt: "two" }, "second-command");
  await play.until("begun anew", () => hasBegun(play, 5));
  await play.until("audit complete", () => play.live?.outbox.length === 0);
}

/** A rollout that waits for its service, beside one that is taken back. */
async function queuedOne(play: Play): Promise<void> {
  const service = { service: "shop", match: { hosts: ["shop.example"] } };
  await play.send("apply", { rollout: "first", document: documentOf("first", service), id: "first-command" });
  await play.apply({ ...longDocument, ...service });
  await play.send("abort", { rollout: "first" });
  await play.until("begun", () => hasBegun(play, 2));
  await play.until("audit complete", () => play.live?.outbox.length === 0);
}

/** A rollout that goes back because another of its group does. */
async function togetherOne(play: Play): Promise<void> {
  const together = { together: "shop", strategy: longStage };
  await play.send("apply", { rollout: "pay", document: documentOf("pay", together), id: "pay-command" });
  await play.apply(documentOf("cart", together));
  await play.until("begun", () => hasBegun(play, 2));
  await play.send("abort", { rollout: "pay" });
  await play.until("rolled back", () => play.live?.plan.phase === "rolledBack");
  await play.until("audit complete", () => play.live?.outbox.length === 0);
}

/** A rollout that goes back in steps. */
async function retreatingOne(play: Play): Promise<void> {
  await play.apply({ ...longDocument, retreat: { step: "4%", every: "1s" } });
  await play.until("begun", () => hasBegun(play, 2));
  await play.send("abort");
  await play.until("rolled back", () => play.live?.plan.phase === "rolledBack");
  await play.until("audit complete", () => play.live?.outbox.length === 0);
}

/** A rollout in a freeze. */
async function frozenOne(play: Play): Promise<void> {
  await play.send("freeze", { reason: "incident" });
  await play.apply(longDocument);
  for (let turns = 0; turns < 10; turns += 1) await play.turn();
  expect([play.live?.plan.phase, play.manifest?.live]).toEqual(["queued", {}]);
  await play.send("unfreeze");
  await play.until("begun", () => hasBegun(play, 2));
  await play.until("audit complete", () => play.live?.outbox.length === 0);
}

describe("a leader that is killed after any write", () => {
  test.each([
    { title: "is succeeded, and a good rollout ends as without", run: goodOne },
    { title: "is succeeded, and a bad rollout ends as without", run: badOne },
    { title: "is succeeded, and a new version takes its place as without", run: replacedOne },
    { title: "is succeeded, and a queue goes on as without", run: queuedOne },
    { title: "is succeeded, and a group goes back as without", run: togetherOne },
    { title: "is succeeded, and a way back in steps goes on as without", run: retreatingOne },
    { title: "is succeeded, and a freeze holds and ends as without", run: frozenOne },
  ])("$title", async ({ run }) => {
    const undisturbed = new Play(Number.POSITIVE_INFINITY);
    await run(undisturbed);
    expect(undisturbed.store.writes).toBeGreaterThan(20);
    let killed = 0;
    for (let allowed = 0; allowed < undisturbed.store.writes; allowed += 1) {
      const play = new Play(allowed);
      await run(play);
      expect({ allowed, ...story(play) }).toEqual({ allowed, ...story(undisturbed) });
      killed += play.terms - 1;
    }
    // On a busy machine steps of several rollouts share more manifests, so that the last kills may find nothing left to write.
    expect(killed).toBeGreaterThan(20);
  });
});
