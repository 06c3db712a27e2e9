import { beforeEach, describe, expect, test } from "vitest";
import { FailingUsersRecordSchema } from "../../../src/contract/failing-users.ts";
import type { LiveState, PlanState } from "../../../src/contract/live.ts";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { FailingKeeper } from "../../../src/controller/failing-keeper.ts";
import { ControllerOptionsSchema } from "../../../src/controller/options.ts";
import { newSeat } from "../../../src/controller/seats.ts";
import { isInKeyHalf, keyHash } from "../../../src/core/judge/key-sketch.ts";
import { createLog } from "../../../src/io/log.ts";
import { decodeStored } from "../../../src/io/store.ts";
import { failingMessage, users } from "../../support/failing-inputs.ts";
import { liveOf, rolloutOf } from "./builders.ts";
import { MemoryStore } from "./memory-store.ts";

const BEGIN_MS = 1_000_000_000_000;
let store: MemoryStore;
let nowMs: number;
let keeper: FailingKeeper;
const log = createLog({ name: "test", level: "silent" });

function keeperOf(monotonicMs = (): number => nowMs): FailingKeeper {
  const { isKilled: _, ...ports } = store.ports(Number.POSITIVE_INFINITY);
  const settings = ControllerOptionsSchema.parse({ id: "a", nats: "nats://unused" });
  const clock = { nowMs: () => nowMs, monotonicMs };
  return new FailingKeeper({ id: "a", term: 1, settings, clock, log, ...ports, killed: () => undefined });
}

beforeEach(() => {
  store = new MemoryStore();
  nowMs = BEGIN_MS;
  keeper = keeperOf();
});

const inStage = (firstRun = 2): LiveState =>
  liveOf("cart", { phase: "stage", run: firstRun, firstRun, sinceMs: 0, stage: 0, begunAtMs: 0 });
const over = (phase: "rolledBack" | "handedOver", sinceMs: number): LiveState => {
  const state = { run: 4, firstRun: 2, sinceMs };
  const plan: PlanState = phase === "rolledBack" ? { ...state, phase, reason: "errors", stragglers: [] } : { ...state, phase };
  return liveOf("cart", plan);
};
const record = () => {
  const stored = store.read(SUBJECTS.failingUsers("cart"));
  return stored === undefined ? undefined : decodeStored(FailingUsersRecordSchema, stored);
};
const seatOf = (live = inStage()) => newSeat(rolloutOf("cart"), live, BEGIN_MS);
async function after(ms: number, live = inStage()): Promise<void> {
  nowMs += ms;
  await keeper.write(seatOf(live));
}

describe("failing users", () => {
  test("stand in the store for status, with the attempt that they are of", async () => {
    keeper.hear("s1", failingMessage(1, { "2 canary": { 7: 1 }, "1 canary": { 8: 1 } }));
    await after(0);
    expect(record()).toMatchObject({ rollout: "cart", firstRun: 2, users: { canary: { distinct: 1 } }, gone: { runs: [] } });
  });

  test("are written when they change, once a second at most", async () => {
    keeper.hear("s1", failingMessage(1, { "2 canary": users(1) }));
    await after(0);
    keeper.hear("s1", failingMessage(1, { "2 canary": users(2) }));
    await after(999);
    expect([store.writes, record()?.users.canary.distinct]).toEqual([1, 1]);
    await after(1);
    await after(60_000);
    expect([store.writes, record()?.users.canary.distinct]).toEqual([2, 2]);
  });

  test("are nobody's before any sidecar has told of some", async () => {
    await after(0);
    expect([store.writes, keeper.users(inStage())]).toEqual([0, undefined]);
  });

  test("of an attempt begin anew with the next one, in which they are known", async () => {
    keeper.hear("s1", failingMessage(1, { "2 stable": { 7: 1 } }));
    await after(0);
    expect(keeper.users(inStage(5))).toBeUndefined();
    await after(1_000, inStage(5));
    expect(keeper.users(inStage(5))).toMatchObject({ known: 1, stable: { distinct: 0 } });
  });

  test("of a message that does not fit its schema are refused", () => {
    expect(() => keeper.hear("s1", { ...failingMessage(1, {}), format: 2 })).toThrow("expected 1");
  });
});

describe("what the judge should know", () => {
  const judged = (live = inStage()) => keeper.judged(seatOf(live));
  const nobody = { newly: 0, knownRequests: 0 };

  test("is nobody before any failed, and who failed as soon as a sidecar tells", () => {
    expect(judged()).toEqual({ stable: nobody, canary: nobody, half: nobody });
    keeper.hear("s1", failingMessage(1, { "2 canary": { 7: 2, 8: 1 }, "2 stable": { 1: 3, 9: 1 } }, [7, 1]));
    expect(judged()).toMatchObject({ stable: { newly: 1, knownRequests: 3 }, canary: { newly: 1, knownRequests: 2 } });
    keeper.hear("s1", failingMessage(1, { "2 canary": { 7: 2, 8: 1, 10: 1 } }));
    expect(judged()?.canary.newly).toBe(2);
  });

  test("tells apart who is in one half of the users", () => {
    keeper.hear("s1", failingMessage(1, { "2 stable": users(100) }));
    const { stable, half } = judged() ?? {};
    expect(stable?.newly).toBe(100);
    expect(half?.newly).toBe(Array.from({ length: 100 }, (_, bucket) => keyHash(bucket)).filter(isInKeyHalf).length);
  });

  test("explains more failing requests of a known user the longer the attempt lasts", async () => {
    const message = failingMessage(1, { "2 canary": { 7: 50 } }, { 7: 60 });
    keeper.hear("s1", message);
    expect(judged()?.canary.knownRequests).toBe(5);
    await after(600_000);
    keeper.hear("s1", message);
    expect(judged()?.canary.knownRequests).toBe(23);
  });

  test("is nobody of an attempt that is over, whose figures stay", () => {
    keeper.hear("s1", failingMessage(1, { "2 canary": { 7: 2 } }));
    expect(judged(over("rolledBack", BEGIN_MS))?.canary).toEqual(nobody);
  });

  test("is counted in a small part of the time, however long that takes", () => {
    let isSlow = true;
    keeper = keeperOf(() => (isSlow ? (nowMs += 10) : nowMs));
    keeper.hear("s1", failingMessage(1, { "2 canary": users(1) }));
    expect(judged()?.canary.newly).toBe(1);
    keeper.hear("s1", failingMessage(1, { "2 canary": users(2) }));
    isSlow = false;
    expect(judged()?.canary.newly).toBe(1);
    nowMs += 100;
    expect(judged()?.canary.newly).toBe(2);
  });
});

describe("after the end of an attempt", () => {
  test("late outcomes count for a minute, then its figures stay", async () => {
    const ended = over("rolledBack", BEGIN_MS);
    keeper.hear("s1", failingMessage(1, { "2 canary": users(1) }));
    await after(0, ended);
    keeper.hear("s1", failingMessage(1, { "2 canary": users(2) }));
    await after(60_000, ended);
    expect(keeper.users(ended)?.canary.distinct).toBe(2);
    keeper.hear("s1", failingMessage(1, { "2 canary": users(3) }));
    await after(60_000, ended);
    expect(keeper.users(ended)?.canary.distinct).toBe(2);
  });

  test("its figures stay also when a day at rest has made its users history", async () => {
    const ended = over("handedOver", BEGIN_MS);
    keeper.hear("s1", failingMessage(1, { "2 stable": { 5: 1 }, "2 canary": { 7: 1 } }));
    await after(0, ended);
    await after(86_400_000, ended);
    await after(1_000, inStage(5));
    expect(keeper.users(inStage(5))).toMatchObject({ known: 1 });
    expect(keeper.users(ended)).toBeUndefined();
  });

  test("who was known through a process that is gone is forgotten after two days at rest", async () => {
    const ended = over("handedOver", BEGIN_MS);
    keeper.hear("s1", failingMessage(1, {}, [5]));
    keeper.goodbye("s1", 1);
    await after(0, ended);
    await after(86_400_000, ended);
    await after(86_399_999, ended);
    expect(record()?.gone.history.steps).toHaveLength(1);
    await after(1, ended);
    expect(record()?.gone.history.steps).toHaveLength(0);
  });
});

describe("the next leader", () => {
  const HEARD_ALL_MS = 6_000;
  beforeEach(async () => {
    keeper.hear("s1", failingMessage(1, { "2 canary": { 7: 3 } }, [1]));
    keeper.hear("s2", failingMessage(1, { "2 canary": { 8: 1 } }));
    keeper.goodbye("s1", 1);
    await after(0);
    keeper = keeperOf();
    await keeper.load([inStage()]);
  });

  test("has the figures of the one before at once, and keeps them until all sidecars had the time to tell theirs again", async () => {
    expect(keeper.users(inStage())?.canary).toMatchObject({ distinct: 2, requests: 4 });
    keeper.hear("s3", failingMessage(1, { "2 canary": { 9: 1 } }));
    await after(HEARD_ALL_MS - 1);
    expect(keeper.users(inStage())?.canary.distinct).toBe(2);
    keeper.hear("s2", failingMessage(1, { "2 canary": { 8: 1 } }));
    await after(1);
    expect(keeper.users(inStage())?.canary).toMatchObject({ distinct: 3, requests: 5 });
  });

  test("tells the judge only of more than were known while it may not have heard who is, and then all", async () => {
    expect(keeper.judged(seatOf())).toMatchObject({ canary: { newly: 0 }, isOpen: true });
    keeper.hear("s2", failingMessage(1, { "2 canary": users(3, 10) }));
    expect(keeper.judged(seatOf())).toMatchObject({ canary: { newly: 3 }, isOpen: true });
    keeper.hear("s2", failingMessage(1, { "2 canary": { 8: 1 } }));
    await after(HEARD_ALL_MS);
    expect(keeper.judged(seatOf())).toMatchObject({ canary: { newly: 2, knownRequests: 0 } });
    expect(keeper.judged(seatOf()).isOpen).toBeUndefined();
  });

  test("tells the judge at once what it hears where nobody was known to fail", async () => {
    keeper = keeperOf();
    const { users: figures, ...rest } = record() ?? { users: { known: 0 } };
    await store.ports(1).state.write(SUBJECTS.failingUsers("cart"), JSON.stringify({ ...rest, users: { ...figures, known: 0 } }));
    await keeper.load([inStage()]);
    keeper.hear("s2", failingMessage(1, { "2 canary": { 8: 1 } }));
    expect(keeper.judged(seatOf())?.canary).toEqual({ newly: 2, knownRequests: 0 });
    expect(keeper.users(inStage())?.canary.requests).toBe(4);
  });

  test("knows whom processes knew that were gone before its time", async () => {
    keeper.hear("s2", failingMessage(1, { "2 canary": { 1: 2 } }));
    await after(HEARD_ALL_MS);
    expect(keeper.users(inStage())).toMatchObject({ known: 1, canary: { knownRequests: 2 } });
  });

  test("counts anew where the record cannot be read", async () => {
    await store.ports(1).state.write(SUBJECTS.failingUsers("cart"), "{}");
    keeper = keeperOf();
    await keeper.load([inStage()]);
    expect(keeper.users(inStage())).toBeUndefined();
  });
});

test("a record stays below what NATS takes, with a sample of the users that the gone counted", async () => {
  const runs = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index + 2} canary`, users(1_024, index * 1_024)]));
  for (const variant of ["canary", "stable"]) {
    keeper.hear(
      variant,
      failingMessage(1, Object.fromEntries(Object.entries(runs).map(([id, of]) => [id.replace("canary", variant), of]))),
    );
    keeper.goodbye(variant, 1);
  }
  await after(0);
  const bytes = store.read(SUBJECTS.failingUsers("cart"))?.data.length ?? Number.POSITIVE_INFINITY;
  expect(bytes).toBeLessThan(512 * 1_024);
  expect(record()?.gone.runs).toHaveLength(120);
});

test("a record holds processes apart that may speak again, until they are too many for it", async () => {
  const silent = async (count: number) => {
    for (let index = 0; index < count; index += 1) {
      keeper.hear(`s${index}`, failingMessage(1, { "2 canary": users(1_000, index * 1_000) }));
      keeper.forget(`s${index}`);
    }
    await after(1_000);
    return record()?.silent?.length;
  };
  expect([await silent(3), await silent(400)]).toEqual([3, 0]);
  expect(record()?.gone.runs).toHaveLength(1);
});
