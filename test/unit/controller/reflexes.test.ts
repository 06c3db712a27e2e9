import { expect, test } from "vitest";
import { documentOf } from "./builders.ts";
import { Play } from "./play.ts";

const document = documentOf("cart", {
  strategy: { type: "canary", stages: [{ share: "10%", minTime: "1h", minSample: 20 }] },
  reflex: true,
});
const actions = (play: Play): string[] =>
  play.store.audit.map(({ action, who }) => (action === "reflex" ? `reflex by ${who.name}` : action));

async function inStage(): Promise<Play> {
  const play = new Play(Number.POSITIVE_INFINITY);
  // A second sidecar is known, so that one alone is not all of them.
  play.others = ["other"];
  await play.apply(document);
  await play.until("in its stage", () => play.live?.plan.phase === "stage" && play.live.plan.begunAtMs !== null);
  return play;
}

test("a sidecar that stopped the canary by itself is told of in the audit once, also by the next leader", async () => {
  const play = await inStage();
  const run = play.live?.plan.run ?? 0;
  play.stopped = [{ rollout: "cart", run, atMs: 5, failures: 5, users: 3 }];
  await play.until("heard", () => play.live?.stops !== undefined);
  play.kill();
  for (let turns = 0; turns < 3; turns += 1) await play.turn();
  expect(play.live).toMatchObject({ plan: { phase: "stage" }, stops: [{ sidecar: "side", run, atMs: 5 }] });
  expect(actions(play).filter((action) => action.startsWith("reflex"))).toEqual(["reflex by sidecar side"]);
});

test("what was stopped under another run is no news", async () => {
  const play = await inStage();
  play.stopped = [
    { rollout: "cart", run: 1, atMs: 5, failures: 5, users: 3 },
    { rollout: "gone", run: 2, atMs: 5, failures: 5, users: 3 },
  ];
  for (let turns = 0; turns < 3; turns += 1) await play.turn();
  expect([play.live?.stops, actions(play).includes("reflex by sidecar side")]).toEqual([undefined, false]);
});

test("a canary that all known sidecars stopped goes back", async () => {
  const play = await inStage();
  play.stopped = [{ rollout: "cart", run: play.live?.plan.run ?? 0, atMs: 5, failures: 5, users: 3 }];
  await play.until("heard", () => play.live?.stops !== undefined);
  play.othersStop = true;
  await play.until("rolled back", () => play.live?.plan.phase === "rolledBack");
  expect(play.live?.plan).toMatchObject({ reason: "every known sidecar stopped the canary by itself" });
  expect(play.live?.stops).toBeUndefined();
});
