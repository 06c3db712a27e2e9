import { beforeEach, describe, expect, test, vi } from "vitest";
import type { LiveState } from "../../../src/contract/live.ts";
import type { Mix } from "../../../src/contract/mix.ts";
import { type MixMessage, type MixRecord, MixRecordSchema } from "../../../src/contract/mix-evidence.ts";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { MixKeeper } from "../../../src/controller/mix-keeper.ts";
import { ControllerOptionsSchema } from "../../../src/controller/options.ts";
import type { StatePort } from "../../../src/controller/ports.ts";
import { createLog } from "../../../src/io/log.ts";
import { decodeStored } from "../../../src/io/store.ts";
import { COUNTRIES, groupsOf, mixMessage } from "../../support/mix-inputs.ts";
import { liveOf, planState } from "./builders.ts";
import { MemoryStore } from "./memory-store.ts";

interface Asking {
  readonly rollout: { readonly mix?: Mix };
  readonly live: LiveState;
}

let store: MemoryStore;
let nowMs: number;
let asking: Map<string, Asking>;
let keeper: MixKeeper;
const log = createLog({ name: "test", level: "silent" });
const warn = vi.spyOn(log, "warn");
const error = vi.spyOn(log, "error");

/** In its stage, in this run of an attempt that began with run 2. */
const inRun = (run: number, firstRun = 2): LiveState =>
  liveOf("cart", { phase: "stage", run, firstRun, sinceMs: 0, stage: 0, begunAtMs: 0 });
const lead = (live: LiveState, mix: Mix | undefined = COUNTRIES): Asking => {
  const led = { rollout: mix === undefined ? {} : { mix }, live };
  asking.set(live.rollout, led);
  return led;
};

function keeperOf(maxUsers?: number, change: Partial<StatePort> = {}): MixKeeper {
  const ports = store.ports(Number.POSITIVE_INFINITY);
  const { plans, segments, policy, audit, ticks } = ports;
  const state = { ...ports.state, ...change };
  const settings = ControllerOptionsSchema.parse({ id: "a", nats: "nats://unused" });
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const parts = { id: "a", term: 1, settings, clock, log, state, plans, segments, policy, audit, ticks, killed: () => undefined };
  return new MixKeeper(parts, (name) => asking.get(name), maxUsers);
}

beforeEach(() => {
  store = new MemoryStore();
  nowMs = 1_000_000;
  asking = new Map();
  keeper = keeperOf();
  warn.mockClear();
  error.mockClear();
  lead(inRun(3));
});

const hear = (message: MixMessage): void => keeper.hear(new TextEncoder().encode(JSON.stringify(message)));
const record = (rollout = "cart"): MixRecord | undefined => {
  const stored = store.read(SUBJECTS.rolloutMix(rollout));
  return stored === undefined ? undefined : decodeStored(MixRecordSchema, stored);
};
async function after(ms: number, rollout = "cart"): Promise<void> {
  nowMs += ms;
  const led = asking.get(rollout);
  if (led !== undefined) await keeper.write(led);
}

const PLAIN = groupsOf({ "stable share": { SE: 80, DE: 720 }, "canary share": { SE: 10, DE: 90 } });
const SKEWED = groupsOf({ "stable share": { SE: 80, DE: 720 }, "canary share": { SE: 10, DE: 90 }, "canary target staff": { SE: 60 } });

describe("the mix of a rollout", () => {
  test("is what all sidecars tell of, each user once, however often it is told", async () => {
    const [stable, canary] = PLAIN;
    for (const group of [stable, canary, stable]) if (group !== undefined) hear(mixMessage([group]));
    hear(mixMessage(groupsOf({ "canary share": { SE: 5 } })));
    await after(0);
    // The users of the second sidecar are those of the first with another value as well, or are the same.
    expect(record()?.figures.users).toMatchObject({ canary: 105, all: 900 });
    expect(keeper.figures(inRun(3))).toEqual(record()?.figures);
  });

  test("is written when it changes, once in four seconds at most", async () => {
    hear(mixMessage(PLAIN));
    await after(0);
    hear(mixMessage(SKEWED));
    await after(3_999);
    expect([store.writes, record()?.figures.users.target]).toEqual([1, 0]);
    await after(1);
    await after(60_000);
    expect([store.writes, record()?.figures.users.target]).toEqual([2, 60]);
  });

  test("is written later when it could not be", async () => {
    let failures = 1;
    const { state } = store.ports(Number.POSITIVE_INFINITY);
    keeper = keeperOf(undefined, {
      write: (subject, text) => (failures-- > 0 ? Promise.reject(new Error("no answer")) : state.write(subject, text)),
    });
    hear(mixMessage(PLAIN));
    await expect(after(0)).rejects.toThrow("no answer");
    await after(4_000);
    expect(record()?.figures.users.all).toBe(900);
  });

  test("begins anew with each run, and what is told of an older one says nothing", async () => {
    hear(mixMessage(SKEWED, 3));
    await after(0);
    lead(inRun(4));
    expect(keeper.figures(inRun(4))?.run).toBe(3);
    hear(mixMessage(PLAIN, 4));
    hear(mixMessage(SKEWED, 3));
    await after(4_000);
    expect(record()?.figures).toMatchObject({ run: 4, users: { target: 0 }, skews: [] });
  });

  test.each<{ title: string; live: LiveState; mix?: Mix; run: number }>([
    { title: "an attempt that is over", live: inRun(9, 8), mix: COUNTRIES, run: 7 },
    { title: "a run that nobody has published", live: inRun(3), mix: COUNTRIES, run: 4 },
    { title: "a rollout that asks for no mix", live: inRun(3), run: 3 },
    { title: "a rollout that has ended", live: liveOf("cart", planState("rolledBack")), mix: COUNTRIES, run: 3 },
  ])("takes nothing in of $title", async ({ live, mix, run }) => {
    asking.set("cart", { rollout: mix === undefined ? {} : { mix }, live });
    hear(mixMessage(PLAIN, run));
    await after(0);
    expect([store.writes, keeper.figures(live)]).toEqual([0, undefined]);
  });

  test("takes nothing in of a rollout that is not led", async () => {
    hear(mixMessage(PLAIN, 3, "other"));
    await after(0);
    expect(store.writes).toBe(0);
  });

  test("stays to be seen when the rollout has ended, and is none of the next attempt's", async () => {
    hear(mixMessage(SKEWED));
    const ended = liveOf("cart", { phase: "rolledBack", run: 4, firstRun: 2, sinceMs: 0, reason: "errors", stragglers: [] });
    lead(ended);
    await after(0);
    await after(4_000);
    expect([store.writes, keeper.figures(ended)?.users.target]).toEqual([1, 60]);
    expect(keeper.figures(inRun(6, 5))).toBeUndefined();
  });

  test("cannot be filled by a message of too many groups", async () => {
    const targets = Array.from({ length: 70 }, (_, index) => [`canary target t${index}`, { SE: 1 }] as const);
    hear(mixMessage(groupsOf(Object.fromEntries(targets))));
    await after(0);
    expect(record()?.groups).toHaveLength(64);
  });

  test("is refused where it is none", () => {
    expect(() => keeper.hear(new TextEncoder().encode('{"format":1,"groups":[{}]}'))).toThrow("rollout");
  });
});

describe("a skew", () => {
  test("stands in the record, and is said in the log once for each label and run", async () => {
    hear(mixMessage(SKEWED));
    await after(0);
    hear(mixMessage(groupsOf({ "canary target staff": { SE: 61 } })));
    await after(4_000);
    expect(record()?.figures.skews[0]).toMatchObject({ label: "country", value: "SE", cause: { target: "staff" } });
    expect(warn.mock.calls.map(([facts, text]) => [Object(facts).rollout, Object(facts).value, text])).toEqual([
      ["cart", "SE", "the canary's users are not like all users"],
    ]);
  });
});

describe("the next leader", () => {
  test("goes on from the record, and says nothing twice", async () => {
    hear(mixMessage(SKEWED));
    await after(0);
    keeper = keeperOf();
    await keeper.load([...asking.values()]);
    expect(keeper.figures(inRun(3))).toEqual(record()?.figures);
    // The first user of stable, on a target now.
    hear(mixMessage(groupsOf({ "canary target beta": { SE: 1 } })));
    await after(4_000);
    expect(record()?.figures.users).toMatchObject({ canary: 161, target: 61, all: 960 });
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test("leaves what is of another attempt, or of a rollout that asks no more", async () => {
    hear(mixMessage(SKEWED));
    await after(0);
    keeper = keeperOf();
    await keeper.load([lead(inRun(9, 8)), { rollout: {}, live: inRun(3) }]);
    expect([keeper.figures(inRun(9, 8)), keeper.figures(inRun(3))]).toEqual([undefined, undefined]);
  });

  test("counts anew where the record cannot be read, and says so", async () => {
    await store.ports(1).state.write(SUBJECTS.rolloutMix("cart"), '{"format":1}');
    await keeper.load([...asking.values()]);
    expect(keeper.figures(inRun(3))).toBeUndefined();
    expect(error.mock.calls.map(([, text]) => text)).toEqual(["record of the mix unreadable, counting anew"]);
  });
});

describe("bounds", () => {
  test("of all users together: groups above 64 are thinned, and small ones stay whole", async () => {
    keeper = keeperOf(1_000);
    const names = Array.from({ length: 10 }, (_, index) => `r${index}`);
    for (const name of names) {
      lead({ ...inRun(3), rollout: name });
      hear(mixMessage(groupsOf({ "stable share": { DE: 900 }, "canary target staff": { SE: 20 } }), 3, name));
    }
    const held = await Promise.all(
      names.map(async (name) => {
        await after(0, name);
        return record(name)?.groups.map(({ users }) => users.steps.length) ?? [];
      }),
    );
    expect(held.flat().reduce((sum, size) => sum + size, 0)).toBeLessThan(2_000);
    expect(new Set(held.map(([, staff]) => staff))).toEqual(new Set([20]));
    keeper = keeperOf(500);
    await keeper.load([...asking.values()]);
    hear(mixMessage(groupsOf({ "canary target staff": { SE: 21 } }), 3, "r0"));
    await after(4_000, "r0");
    const [stable, staff] = record("r0")?.groups.map(({ users }) => users.steps.length) ?? [];
    expect(stable).toBeLessThanOrEqual(64);
    expect(staff).toBe(20 + 21);
  });

  test("of a record: it is thinned until it fits", async () => {
    const targets = Array.from({ length: 60 }, (_, index) => [`canary target t${index}`, { SE: 1_000 }] as const);
    hear(mixMessage(groupsOf(Object.fromEntries(targets))));
    await after(0);
    expect(store.read(SUBJECTS.rolloutMix("cart"))?.data.length).toBeLessThanOrEqual(512 * 1_024);
    expect(record()?.figures.users.target).toBe(60_000);
  });
});
