import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { documentOf } from "./builders.ts";
import type { Play } from "./play.ts";

/** A rollout's life, or a part of it. */
export interface Story {
  readonly title: string;
  readonly strategy: RolloutInput["strategy"];
  play(play: Play): Promise<void>;
}

type Change = Omit<Partial<RolloutInput>, "strategy">;

const stage = { share: "10%", minTime: "200ms", minSample: 20 };
const stages: RolloutInput["strategy"] = { type: "canary", stages: [stage] };
/** A stage that nothing passes here. */
const longStage: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "10%", minTime: "1h" }] };
const ramp: RolloutInput["strategy"] = {
  type: "canary",
  ramp: { start: "10%", minTime: "1s", maxTime: "10m", holdback: { share: "50%", time: "200ms" } },
};
const blueGreen: RolloutInput["strategy"] = { type: "blueGreen" };
const abTest: RolloutInput["strategy"] = { type: "abTest", shares: { canary: "30%" }, time: "1d" };
const toggle: RolloutInput["strategy"] = { type: "toggle", staleAfter: "300ms" };
const rolling: RolloutInput["strategy"] = { type: "rolling", by: "zone", share: "50%", minTime: "200ms", minSample: 20 };
const shadow: RolloutInput["strategy"] = { type: "mirror", shadow: { minTime: "1h" }, stages: [stage] };
const shadowRamp: RolloutInput["strategy"] = { type: "mirror", shadow: { minTime: "1h" }, ramp: "auto" };
const mirror = { cluster: "shop-canary", share: "10%" };
const onlyTags = { stable: { tags: { "x-serin-new": "no" } }, canary: { tags: { "x-serin-new": "yes" } } };

const phaseOf = ({ live }: Play): string | undefined => live?.plan.phase;
const hasBegun = ({ live }: Play, phase: string): boolean =>
  live?.plan.phase === phase && (!("begunAtMs" in live.plan) || live.plan.begunAtMs !== null);
const begun = (play: Play, phase: string): Promise<void> => play.until(phase, () => hasBegun(play, phase));
const told = (play: Play): Promise<void> => play.until("audit complete", () => play.live?.outbox.length === 0);

async function until(play: Play, phase: string): Promise<void> {
  await play.until(phase, () => phaseOf(play) === phase);
  await told(play);
}

async function good(play: Play): Promise<void> {
  await play.apply(documentOf("cart", { strategy: { type: "canary", stages: [stage, { ...stage, share: "50%" }] } }));
  await play.until("promoted", () => phaseOf(play) === "promoted");
  await play.send("handover");
  await told(play);
}

async function bad(play: Play): Promise<void> {
  await play.apply(documentOf("cart", { strategy: stages }));
  await play.until("in its stage", () => phaseOf(play) === "stage");
  play.canaryFailed = 50;
  await until(play, "rolledBack");
}

async function retried(play: Play): Promise<void> {
  await bad(play);
  play.canaryFailed = 0;
  await play.send("retry");
  await until(play, "promoted");
}

/** Back to the version before, after the next one has become stable. */
async function undone(play: Play): Promise<void> {
  await good(play);
  await play.apply(documentOf("cart", { strategy: stages, salt: "two" }), "second-command");
  await until(play, "promoted");
  await play.send("handover", { id: "second-handover" });
  await play.send("undo");
  await until(play, "promoted");
}

/** On through phases that wait for a person, and by itself from there. */
const promoted =
  (strategy: RolloutInput["strategy"], phases: readonly string[], change: Change = {}) =>
  async (play: Play): Promise<void> => {
    await play.apply(documentOf("cart", { strategy, ...change }));
    for (const phase of phases) {
      await begun(play, phase);
      await play.send("promote", { id: `promote-${phase}` });
    }
    await until(play, "promoted");
  };

async function pausedRamp(play: Play): Promise<void> {
  await play.apply(documentOf("cart", { strategy: ramp }));
  await begun(play, "ramp");
  await play.send("pause", { reason: "lunch" });
  await play.send("resume");
  await begun(play, "ramp");
  await play.send("promote");
  await until(play, "promoted");
}

async function toggled(play: Play): Promise<void> {
  await play.apply(documentOf("cart", { variants: onlyTags, strategy: toggle }));
  await play.until("overdue", () => play.live?.plan.phase === "on" && play.live.plan.overdue);
  await play.send("handover");
  await told(play);
}

/** A new version takes the place of one that runs. */
async function replaced(play: Play): Promise<void> {
  const document = documentOf("cart", { strategy: longStage, onNewVersion: "replace" });
  await play.apply(document);
  await begun(play, "stage");
  await play.apply({ ...document, salt: "two" }, "second-command");
  await play.until("begun anew", () => hasBegun(play, "stage") && play.live?.plan.run === 5);
  await told(play);
}

/** A rollout that waits for its service, beside one that is taken back. */
async function queued(play: Play): Promise<void> {
  const service = { service: "shop", match: { hosts: ["shop.example"] } };
  await play.send("apply", { rollout: "first", document: documentOf("first", service), id: "first-command" });
  await play.apply(documentOf("cart", { strategy: longStage, ...service }));
  await play.send("abort", { rollout: "first" });
  await begun(play, "stage");
  await told(play);
}

/** A rollout that goes back because another of its group does. */
async function together(play: Play): Promise<void> {
  const change = { together: "shop", strategy: longStage };
  await play.send("apply", { rollout: "pay", document: documentOf("pay", change), id: "pay-command" });
  await play.apply(documentOf("cart", change));
  await begun(play, "stage");
  await play.send("abort", { rollout: "pay" });
  await until(play, "rolledBack");
}

async function retreating(play: Play): Promise<void> {
  await play.apply(documentOf("cart", { strategy: longStage, retreat: { step: "6%", every: "1s" } }));
  await begun(play, "stage");
  await play.send("abort");
  await until(play, "rolledBack");
}

/** A rollout in a freeze, under a new policy, and one that a freeze meets on its way. */
async function frozen(play: Play): Promise<void> {
  await play.send("apply", { id: "policy-command", document: { apiVersion: "serin/v1", kind: "Policy", limits: { active: 3 } } });
  await play.send("freeze", { reason: "incident" });
  await play.apply(documentOf("cart", { strategy: longStage }));
  for (let turns = 0; turns < 3; turns += 1) await play.turn();
  if (phaseOf(play) !== "queued") throw new Error("it began in a freeze");
  await play.send("unfreeze");
  await begun(play, "stage");
  await play.send("freeze", { id: "second-freeze", reason: "again" });
  await play.until("held", () => play.live !== undefined && "held" in play.live.plan);
  await play.send("unfreeze", { id: "second-unfreeze" });
  await play.until("released", () => play.live !== undefined && !("held" in play.live.plan));
  await told(play);
}

async function observed(play: Play): Promise<void> {
  await play.apply(documentOf("cart", { strategy: longStage, mode: "observe" }));
  await begun(play, "gate");
  await play.send("promote");
  await begun(play, "stage");
  play.canaryFailed = 50;
  await play.until("said", () => play.live?.plan.would !== undefined);
  await told(play);
}

/** A sidecar stops the canary by itself; another hears nothing of the way back, until it does. */
async function stopped(play: Play): Promise<void> {
  play.others = ["other"];
  await play.apply(documentOf("cart", { strategy: longStage, reflex: true }));
  await begun(play, "stage");
  play.stopped = [{ rollout: "cart", run: play.live?.plan.run ?? 0, atMs: 5, failures: 5, users: 3 }];
  await play.until("heard", () => play.live?.stops !== undefined);
  play.others = [];
  await play.send("abort");
  play.nowMs += 40_000;
  await play.until("rolled back", () => phaseOf(play) === "rolledBack");
  play.others = ["other"];
  await play.until("confirmed", () => play.live?.plan.phase === "rolledBack" && play.live.plan.stragglers.length === 0);
  await told(play);
}

/** All strategies, and what may happen to any of them. */
export const STORIES: readonly Story[] = [
  { title: "a good rollout ends", strategy: stages, play: good },
  { title: "a bad rollout ends", strategy: stages, play: bad },
  { title: "one that was bad is tried again", strategy: stages, play: retried },
  { title: "the version before comes back", strategy: stages, play: undone },
  { title: "a ramp goes on", strategy: ramp, play: pausedRamp },
  { title: "a preview is promoted", strategy: blueGreen, play: promoted(blueGreen, ["preview"]) },
  { title: "a test ends with its report", strategy: abTest, play: promoted(abTest, ["trial", "decision"]) },
  { title: "a toggle is on, and off", strategy: toggle, play: toggled },
  { title: "groups take their turns", strategy: rolling, play: promoted(rolling, []) },
  { title: "a shadow is followed", strategy: shadow, play: promoted(shadow, ["shadow"], { mirror }) },
  { title: "a shadow is followed by a ramp", strategy: shadowRamp, play: promoted(shadowRamp, ["shadow", "ramp", "holdback"], { mirror }) },
  { title: "a gate is passed", strategy: stages, play: promoted(stages, ["gate"], { promotion: { gate: { limit: "1h" } } }) },
  { title: "a new version takes its place", strategy: longStage, play: replaced },
  { title: "a queue goes on", strategy: longStage, play: queued },
  { title: "a group goes back", strategy: longStage, play: together },
  { title: "a way back in steps goes on", strategy: longStage, play: retreating },
  { title: "a freeze holds and ends", strategy: longStage, play: frozen },
  { title: "what would be done is said", strategy: longStage, play: observed },
  { title: "what sidecars do by themselves is told", strategy: longStage, play: stopped },
];
