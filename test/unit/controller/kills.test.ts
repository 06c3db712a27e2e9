import { expect, test } from "vitest";
import { documentOf } from "./builders.ts";
import { Play } from "./play.ts";

const document = documentOf("cart", { strategy: { type: "canary", stages: [{ share: "10%", minTime: "1h", minSample: 20 }] } });
const order = { format: 1, scope: { rollout: "cart" }, off: true, atMs: 1, who: "alice", reason: "wrong prices" } as const;

test("a rollout that an operator switched off is rolled back, in the operator's name, and so is its next attempt until the order is lifted", async () => {
  const play = new Play(Number.POSITIVE_INFINITY);
  await play.apply(document);
  await play.until("in its stage", () => play.live?.plan.phase === "stage");
  play.killed = (rollout) => (rollout === "cart" ? order : undefined);
  await play.until("rolled back", () => play.live?.plan.phase === "rolledBack");
  await play.until("audit complete", () => play.live?.outbox.length === 0);
  const told = play.store.audit.find(({ action }) => action === "rollback");
  expect([told?.who, told?.reason]).toEqual([
    { name: "alice", claimed: false },
    "switched off by alice: wrong prices; it stays off until `serin kill --lift`",
  ]);

  const first = play.live?.plan.firstRun ?? 0;
  await play.send("apply", { id: "apply-again", document });
  await play.until("rolled back again", () => play.live?.plan.phase === "rolledBack" && play.live.plan.firstRun > first);
  play.killed = () => undefined;
  await play.send("apply", { id: "apply-at-last", document });
  await play.until("in its stage again", () => play.live?.plan.phase === "stage");
});
