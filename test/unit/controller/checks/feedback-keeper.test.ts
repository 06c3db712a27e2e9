import { describe, expect, test } from "vitest";
import { FEEDBACK_KEPT_MS, FeedbackRecordSchema, type FeedbackReply } from "../../../../src/contract/feedback.ts";
import { SUBJECTS } from "../../../../src/contract/names.ts";
import { FeedbackKeeper } from "../../../../src/controller/checks/feedback-keeper.ts";
import type { Checked } from "../../../../src/controller/checks/held-checks.ts";
import { ControllerOptionsSchema } from "../../../../src/controller/options.ts";
import type { TermParts } from "../../../../src/controller/ports.ts";
import { hashKey } from "../../../../src/core/decide/bucket.ts";
import { createLog } from "../../../../src/io/log.ts";
import { decodeStored } from "../../../../src/io/store.ts";
import { liveOf, planState, rolloutOf } from "../builders.ts";
import { MemoryStore } from "../memory-store.ts";

const own = [
  { name: "complaints", feedback: { kind: "complaint" }, harm: "higher" },
  { name: "refunds", feedback: { kind: "refund" }, harm: "higher" },
  { name: "bad", feedback: { kind: "rating", atMost: 2 }, harm: "higher" },
  { name: "good", feedback: { kind: "rating", atLeast: 4 }, harm: "lower" },
] as const;
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

/** Leaders one after another over one store; the rollout is at 100 %, so that each user is on the canary. */
class Scene {
  readonly store = new MemoryStore();
  readonly hits: string[] = [];
  nowMs = FEEDBACK_KEPT_MS * 2;
  checked: Checked = {
    name: "cart",
    rollout: rolloutOf("cart", { checks: { own: [...own] } }),
    live: liveOf("cart", planState("stage"), { shareBp: 10_000 }),
  };
  switchedOff = "";
  #keeper: FeedbackKeeper;

  constructor() {
    this.#keeper = this.#leader();
  }

  #leader(): FeedbackKeeper {
    const settings = ControllerOptionsSchema.parse({ id: "a", nats: "nats://unused" });
    const clock = { nowMs: () => this.nowMs, monotonicMs: () => this.nowMs };
    const parts: TermParts = {
      id: "a",
      term: 1,
      settings,
      clock,
      log: createLog({ name: "test", level: "silent" }),
      killed: () => undefined,
      isUserOff: (_, user) => user === this.switchedOff,
      ...this.store.ports(Infinity),
    };
    return new FeedbackKeeper(parts, (_, check, side) => this.hits.push(`${check} ${side}`));
  }

  async succeed(): Promise<void> {
    this.#keeper = this.#leader();
    await this.#keeper.load([this.checked]);
  }

  /** Some seconds later the leader writes. */
  async tick(afterMs = 5_000): Promise<void> {
    this.nowMs += afterMs;
    await this.#keeper.write(this.checked);
  }

  say(event: unknown, name = "cart"): FeedbackReply {
    return this.#keeper.hear(name, name === "cart" ? this.checked : undefined, encode(event));
  }

  get record() {
    const stored = this.store.read(SUBJECTS.rolloutFeedback("cart"));
    return stored === undefined ? undefined : decodeStored(FeedbackRecordSchema, stored);
  }
}

async function inStage(): Promise<Scene> {
  const scene = new Scene();
  await scene.tick();
  return scene;
}

const complaint = { kind: "complaint", key: "alice" };

describe("an event counts", () => {
  test("once a user and check, whoever leads", async () => {
    const scene = await inStage();
    expect([scene.say(complaint), scene.say(complaint)].map(({ result }) => result)).toEqual(["counted", "repeated"]);
    await scene.tick();
    await scene.succeed();
    expect([scene.say(complaint), scene.say({ ...complaint, kind: "refund" })].map(({ result }) => result)).toEqual([
      "repeated",
      "counted",
    ]);
    expect(scene.hits).toEqual(["complaints canary", "refunds canary"]);
    expect(JSON.stringify(scene.record)).not.toContain("alice");
  });

  test("once an id, where the application names the variant", async () => {
    const scene = await inStage();
    const named = { kind: "complaint", variant: "stable" };
    const results = [
      { ...named, id: "1" },
      { ...named, id: "1" },
      { ...named, id: "2" },
    ].map((event) => scene.say(event).result);
    expect(results).toEqual(["counted", "repeated", "counted"]);
    expect(scene.hits).toEqual(["complaints stable", "complaints stable"]);
  });

  test("again in another attempt", async () => {
    const scene = await inStage();
    scene.say(complaint);
    const { live } = scene.checked;
    scene.checked = { ...scene.checked, live: { ...live, plan: { ...live.plan, firstRun: 4, run: 4 } } };
    expect(scene.say(complaint)).toEqual({ result: "unattributed", message: "it is of an attempt before this one" });
    await scene.tick();
    expect(scene.say(complaint).result).toBe("counted");
  });

  test.each([
    { value: 2, hits: ["bad canary"] },
    { value: 3, hits: [] },
    { value: 4, hits: ["good canary"] },
    { value: undefined, hits: [] },
  ])("with the value that its check asks for: $value", async ({ value, hits }) => {
    const scene = await inStage();
    expect(scene.say({ kind: "rating", key: "bob", value }).result).toBe(hits.length === 0 ? "unasked" : "counted");
    expect(scene.hits).toEqual(hits);
  });
});

describe("an event does not count", () => {
  test.each([
    { title: "of another rollout", event: complaint, name: "none", answer: { result: "unasked", message: "no rollout is named none" } },
    {
      title: "that nobody asks for",
      event: { kind: "praise", key: "a" },
      answer: { result: "unasked", message: "no check of cart counts praise of this value" },
    },
    {
      title: "of no variant of the rollout",
      event: { ...complaint, variant: "blue" },
      answer: { result: "invalid", message: "cart has no variant blue; its variants are stable, canary" },
    },
    {
      title: "that is to come",
      event: { ...complaint, atMs: FEEDBACK_KEPT_MS * 3 },
      answer: { result: "invalid", message: "atMs lies ahead; give Unix milliseconds" },
    },
    {
      title: "of long ago",
      event: { ...complaint, atMs: FEEDBACK_KEPT_MS - 1 },
      answer: { result: "unattributed", message: "it is older than 7 days" },
    },
    {
      title: "of before any rules",
      event: { ...complaint, atMs: FEEDBACK_KEPT_MS * 2 },
      answer: { result: "unattributed", message: "it is not known which rules held then" },
    },
  ])("$title", async ({ event, name, answer }) => {
    const scene = await inStage();
    expect(scene.say(event, name)).toEqual(answer);
    expect(scene.hits).toEqual([]);
  });

  test("of a user whom an operator switched off", async () => {
    const scene = await inStage();
    scene.switchedOff = hashKey("cart", "alice");
    expect(scene.say(complaint)).toEqual({ result: "unattributed", message: "an operator switched the user off" });
  });

  test.each([`{"key":"alice`, { kind: "complaint" }, { ...complaint, key: ["alice"] }, "null"])(
    "that is none, and is not quoted: %j",
    async (event) => {
      const { result, message } = (await inStage()).say(event);
      expect(result).toBe("invalid");
      expect(message).not.toContain("alice");
    },
  );
});

describe("what is written", () => {
  test("are the rules in force as soon as they change, and users now and then", async () => {
    const scene = await inStage();
    const { writes } = scene.store;
    await scene.tick();
    expect(scene.store.writes).toBe(writes);
    scene.say(complaint);
    await scene.tick();
    expect([scene.store.writes, scene.record?.seen.length]).toEqual([writes + 1, 1]);
    scene.checked = { ...scene.checked, live: { ...scene.checked.live, shareBp: 500 } };
    await scene.tick(1);
    expect(scene.record?.served.map(({ live }) => live.shareBp)).toEqual([10_000, 500]);
  });

  test("is nothing of a rollout that counts no feedback", async () => {
    const scene = new Scene();
    scene.checked = { ...scene.checked, rollout: rolloutOf("cart") };
    await scene.tick();
    await scene.succeed();
    expect(scene.store.writes).toBe(0);
  });

  test("are the last ten thousand users at the most", async () => {
    const scene = await inStage();
    for (let user = 0; user <= 10_000; user += 1) scene.say({ ...complaint, key: `user-${user}` });
    await scene.tick();
    expect(scene.record?.seen).toHaveLength(10_000);
    expect(scene.say({ ...complaint, key: "user-10000" }).result).toBe("repeated");
  });
});
