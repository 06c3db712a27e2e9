import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { documentOf } from "./builders.ts";
import type { Play } from "./play.ts";

/** Two stages of a second each. */
const stages: RolloutInput["strategy"] = {
  type: "canary",
  stages: [
    { share: "10%", minTime: "1s", minSample: 20 },
    { share: "50%", minTime: "1s", minSample: 20 },
  ],
};
/** A rollout with them. */
export const document = documentOf("cart", { strategy: stages });

/** A rollout that passes every stage and is handed over. */
export async function goodOne(play: Play): Promise<void> {
  await play.apply(document);
  await play.until("promoted", () => play.live?.plan.phase === "promoted");
  await play.send("handover");
  await play.until("audit complete", () => play.live?.outbox.length === 0);
}

/** A rollout that begins to fail in its first stage. */
export async function badOne(play: Play): Promise<void> {
  await play.apply(document);
  await play.until("in its stage", () => play.live?.plan.phase === "stage");
  play.canaryFailed = 50;
  await play.until("rolled back", () => play.live?.plan.phase === "rolledBack");
  await play.until("audit complete", () => play.live?.outbox.length === 0);
}

/** What people see of a rollout afterwards, but for times and numbers of the evidence. */
export const story = ({ store, live, manifest }: Play) => ({
  audit: store.audit
    .filter(({ rollout = "cart" }) => rollout === "cart")
    .map(({ action, run, shareBp }) => `${action} run ${run} share ${shareBp}`),
  phase: live?.plan.phase,
  run: live?.plan.run,
  // Steps of several rollouts may share a manifest, so that its number is not always the same.
  isPublished: Number(live?.revision.revision) <= Number(manifest?.revision),
  rules: manifest?.live,
});
