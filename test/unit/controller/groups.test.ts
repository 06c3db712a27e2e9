import { expect, test } from "vitest";
import { type LiveState, LiveStateSchema } from "../../../src/contract/live.ts";
import { SUBJECTS } from "../../../src/contract/names.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { decodeStored } from "../../../src/io/store.ts";
import { documentOf } from "./builders.ts";
import { Play } from "./play.ts";

const together: Partial<RolloutInput> = { together: "shop", strategy: { type: "canary", stages: [{ share: "10%", minTime: "1h" }] } };
const NAMES = ["cart", "pay", "shop"];

const live = (play: Play, name: string): LiveState | undefined => {
  const stored = play.store.read(SUBJECTS.live(name));
  return stored === undefined ? undefined : decodeStored(LiveStateSchema, stored);
};
const phases = (play: Play): (string | undefined)[] => NAMES.map((name) => live(play, name)?.plan.phase);

async function groupInStages(change = together): Promise<Play> {
  const play = new Play(Number.POSITIVE_INFINITY);
  for (const name of NAMES) await play.send("apply", { rollout: name, document: documentOf(name, change), id: `apply-command-${name}` });
  await play.until("in their stages", () => phases(play).every((phase) => phase === "stage"));
  return play;
}

const allBack = (play: Play): boolean => phases(play).every((phase) => phase === "rolledBack");

test("a group goes back whole under the same leader, also where the rules of its first member could not be published at once", async () => {
  const play = await groupInStages();
  play.store.refuses = [SUBJECTS.manifest];
  expect(await play.send("abort", { rollout: "pay" })).toMatchObject({ result: "failed" });
  play.store.refuses = [];
  await play.until("all back", () => allBack(play));
  expect([play.terms, live(play, "cart")?.plan]).toMatchObject([1, { reason: "pay of group shop went back: by ann" }]);
});

test("a member whose way back cannot be written keeps no other one from it, and follows", async () => {
  const play = await groupInStages();
  play.store.refuses = [SUBJECTS.live("cart")];
  expect(await play.send("abort", { rollout: "pay" })).toMatchObject({ result: "done" });
  await play.until("the others back", () =>
    phases(play)
      .slice(1)
      .every((phase) => phase === "rolledBack"),
  );
  expect(live(play, "cart")?.plan.phase).toBe("stage");
  play.store.refuses = [];
  await play.until("all back", () => allBack(play));
  expect(play.terms).toBe(1);
});

test("each of a group goes back by its own steps, and nobody hurries another", async () => {
  const retreat = { step: "4%", every: "1s" };
  const play = await groupInStages({ ...together, retreat });
  await play.send("abort", { rollout: "cart" });
  await play.until("all back", () => allBack(play));
  await play.until("audit complete", () => NAMES.every((name) => live(play, name)?.outbox.length === 0));
  const sharesOf = (name: string) =>
    play.store.audit.flatMap((record) =>
      record.rollout === name && ["rollback", "retreat"].includes(record.action) ? [record.shareBp] : [],
    );
  expect(NAMES.map(sharesOf)).toEqual(NAMES.map(() => [600, 200, 0]));
});
