import { describe, expect } from "vitest";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { connectNats } from "../../../src/io/nats.ts";
import { listAudit } from "../../../src/io/store.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { KilledPlay } from "./killed-play.ts";
import { test } from "./world.ts";

interface Killed {
  readonly title: string;
  readonly document: RolloutInput;
  play(play: KilledPlay, document: RolloutInput): Promise<void>;
}

/** Minimum times are longer than a takeover, so that each finds the same step. */
const stages: RolloutInput["strategy"] = {
  type: "canary",
  stages: ["10%", "50%"].map((share) => ({ share, minTime: "8s", minSample: 20 })),
};
const ramp: RolloutInput["strategy"] = {
  type: "canary",
  ramp: { start: "10%", minTime: "20s", maxTime: "10m", holdback: { time: "5s" } },
};

const gated: RolloutInput["strategy"] = {
  type: "canary",
  stages: [{ share: "10%", minTime: "8s", minSample: 20, gate: { approvers: ["ann"], limit: "10m" } }],
};
const onlyTags = { stable: { tags: { "x-serin-new": "no" } }, canary: { tags: { "x-serin-new": "yes" } } };

const begun = (phase: string) => (live: Awaited<ReturnType<KilledPlay["live"]>>) =>
  live?.plan.phase === phase && "begunAtMs" in live.plan && live.plan.begunAtMs !== null;

/** All the way, with a rest on it. */
async function good(play: KilledPlay, document: RolloutInput): Promise<void> {
  await play.apply(document);
  await play.until("under way", (live) => begun("stage")(live) || begun("ramp")(live));
  await play.send("pause", { reason: "lunch" });
  await play.send("resume");
  await play.until("promoted", (live) => live?.plan.phase === "promoted");
  await play.send("handover");
}

/** Back again. */
async function bad(play: KilledPlay, document: RolloutInput): Promise<void> {
  play.canaryFailed = 30;
  await play.apply(document);
  await play.until("rolled back", (live) => live?.plan.phase === "rolledBack");
}

/** Back at a person's word, from where it has begun. */
const aborted =
  (phase: string) =>
  async (play: KilledPlay, document: RolloutInput): Promise<void> => {
    await play.apply(document);
    await play.until("under way", begun(phase));
    await play.send("abort", { reason: "enough seen" });
    await play.until("rolled back", (live) => live?.plan.phase === "rolledBack");
  };

/** On through phases that wait for a person, to the end. */
const promoted =
  (...phases: readonly string[]) =>
  async (play: KilledPlay, document: RolloutInput): Promise<void> => {
    await play.apply(document);
    for (const phase of phases) {
      await play.until(phase, (live) => live?.plan.phase === phase && !("begunAtMs" in live.plan && live.plan.begunAtMs === null));
      await play.send("promote", { id: `promote-${phase}` });
    }
    await play.until("promoted", (live) => live?.plan.phase === "promoted");
    await play.send("handover");
  };

/** Another strategy needs one line here. */
const ALL: readonly Killed[] = [
  { title: "a good canary by stages", document: documentOf("cart", { strategy: stages }), play: good },
  { title: "a bad canary by stages", document: documentOf("cart", { strategy: stages }), play: bad },
  { title: "a good canary by a ramp", document: documentOf("cart", { strategy: ramp }), play: good },
  { title: "a bad canary by a ramp", document: documentOf("cart", { strategy: ramp }), play: bad },
  { title: "blue-green", document: documentOf("cart", { strategy: { type: "blueGreen" } }), play: promoted("preview") },
  {
    title: "an A/B test",
    document: documentOf("cart", { strategy: { type: "abTest", shares: { canary: "30%" }, time: "1d" } }),
    play: promoted("trial", "decision"),
  },
  { title: "a toggle", document: documentOf("cart", { variants: onlyTags, strategy: { type: "toggle" } }), play: aborted("on") },
  {
    title: "groups of sidecars",
    document: documentOf("cart", { strategy: { type: "rolling", by: "zone", share: "50%", minTime: "8s", minSample: 20 } }),
    play: promoted(),
  },
  {
    title: "a shadow first",
    document: documentOf("cart", {
      mirror: { cluster: "shop-canary", share: "10%" },
      strategy: { type: "mirror", shadow: { minTime: "8s" }, stages: [{ share: "10%", minTime: "8s", minSample: 20 }] },
    }),
    play: promoted("shadow"),
  },
  { title: "a gate", document: documentOf("cart", { strategy: gated }), play: promoted("gate") },
  {
    title: "a way back in steps",
    document: documentOf("cart", { strategy: stages, retreat: { step: "4%", every: "8s" } }),
    play: aborted("stage"),
  },
];

/** What must be the same however often a leader was killed. */
async function told(play: KilledPlay, link: Parameters<typeof listAudit>[0]) {
  await play.until("nothing waits for the audit", (live) => live?.outbox.length === 0);
  const live = await play.live();
  const audit = (await listAudit(link, "cart", 200)).map(({ action, run, shareBp }) => `${action} run ${run} at ${shareBp}`);
  const { phase, run, firstRun } = live?.plan ?? {};
  const rule = (await play.manifest())?.live["cart"];
  const replies = [...play.replies].map(([id, { result, run: answered }]) => [id, result, answered]);
  const remembered = live?.commands.map(({ id }) => id);
  return { audit, plan: { phase, run, firstRun }, shareBp: live?.shareBp, rule, replies, remembered };
}

describe("a leader that is killed at any write of a rollout, on a real server", () => {
  test.for(ALL)("$title: the next one resumes, no step is lost and none is done twice", { timeout: 400_000 }, async (killed, { world }) => {
    const link = await connectNats({ url: world.server.url, name: "play", waitForServer: true });
    world.closing(() => link.close());
    const undisturbed = await KilledPlay.begin(link);
    await killed.play(undisturbed, killed.document);
    const wanted = await told(undisturbed, link);
    const { effects } = undisturbed;
    expect(effects).toBeGreaterThan(15);
    await undisturbed.end();
    for (let at = 0; at < effects; at += 1) {
      for (const when of ["before", "after"] as const) {
        const play = await KilledPlay.begin(link, { at, when });
        await killed.play(play, killed.document);
        await play.until("another leads", () => play.terms === 2);
        expect({ at, when, ...(await told(play, link)) }).toEqual({ at, when, ...wanted });
        expect({ at, when, answers: await play.end(), terms: play.terms }).toEqual({ at, when, answers: ["refused"], terms: 2 });
      }
    }
  });
});
