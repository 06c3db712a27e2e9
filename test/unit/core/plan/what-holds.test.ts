import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../../src/contract/live.ts";
import type { RolloutInput } from "../../../../src/contract/rollout.ts";
import { frozen, groupHold, groupOf, holdsOf, type Mesh, type Peer, turnOf } from "../../../../src/core/plan/what-holds.ts";
import { rolloutOf } from "../../controller/builders.ts";

const served = { run: 3, firstRun: 1, sinceMs: 0 };
const at = {
  queued: { phase: "queued", ...served, reason: "number 1" },
  pending: { phase: "pending", ...served },
  stage: { phase: "stage", ...served, stage: 0, begunAtMs: 0 },
  next: { phase: "stage", ...served, stage: 1, begunAtMs: 0 },
  ramp: { phase: "ramp", ...served, shareBp: 1_000, changedAtMs: 0, begunAtMs: 0 },
  holdback: { phase: "holdback", ...served, begunAtMs: 0 },
  paused: { phase: "paused", ...served, stage: 0, reason: "lunch" },
  promoting: { phase: "promoting", ...served },
  promoted: { phase: "promoted", ...served, overdue: false },
  rollingBack: { phase: "rollingBack", ...served, reason: "errors" },
  rolledBack: { phase: "rolledBack", ...served, reason: "errors", stragglers: [] },
  handedOver: { phase: "handedOver", ...served },
} as const satisfies Record<string, PlanState>;

type State = keyof typeof at;

const peer = (name: string, state: State | PlanState, change: Partial<RolloutInput> = {}, sequence = 1): Peer => ({
  rollout: rolloutOf(name, change),
  plan: typeof state === "string" ? at[state] : state,
  sequence,
});

const meshOf = (peers: readonly Peer[], change: Partial<Mesh> = {}): Mesh => ({
  nowMs: 1_000,
  freeze: undefined,
  limits: undefined,
  closed: () => undefined,
  find: (name) => peers.find(({ rollout }) => rollout.name === name),
  peers,
  hasEarned: () => false,
  ...change,
});

const ann = { name: "ann", claimed: true };

describe("a freeze", () => {
  test("holds every rollout, and says who, why and until when", () => {
    const freeze = { who: ann, reason: "incident 12", sinceMs: 0, untilMs: 3_600_000 };
    expect(holdsOf(peer("cart", "stage"), meshOf([], { freeze }))).toEqual([
      { kind: "freeze", reason: "frozen by ann (incident 12) until thu 1970-01-01 01:00 UTC" },
    ]);
    expect([frozen({ who: ann, sinceMs: 0 }, 1_000), frozen(undefined, 1_000)]).toEqual(["frozen by ann", undefined]);
  });

  test("ends by itself at its time", () => {
    expect(frozen({ who: ann, sinceMs: 0, untilMs: 1_000 }, 999)).toBeDefined();
    expect(frozen({ who: ann, sinceMs: 0, untilMs: 1_000 }, 1_000)).toBeUndefined();
  });
});

test("a closed calendar holds with its reason", () => {
  const closed = () => ({ reason: "closed by the calendar; opens tomorrow", opensMs: 5 });
  expect(holdsOf(peer("cart", "stage"), meshOf([], { closed }))).toEqual([
    { kind: "window", reason: "closed by the calendar; opens tomorrow" },
  ]);
});

describe("a rollout that comes after another", () => {
  const cart = peer("cart", "pending", { after: ["db"] });
  test.each<[State, string | undefined]>([
    ["queued", "comes after db, which is not promoted yet"],
    ["pending", "comes after db, which is not promoted yet"],
    ["stage", "comes after db, which is not promoted yet"],
    ["paused", "comes after db, which is not promoted yet"],
    ["promoting", "comes after db, which is not promoted yet"],
    ["promoted", undefined],
    ["handedOver", undefined],
    ["rollingBack", "comes after db, which went back; apply that again"],
    ["rolledBack", "comes after db, which went back; apply that again"],
  ])("whose phase is %s is held: %s", (state, reason) => {
    const holds = holdsOf(cart, meshOf([cart, peer("db", state)]));
    expect(holds).toEqual(reason === undefined ? [] : [{ kind: "dependency", reason }]);
  });

  test("that is gone is held", () => {
    expect(holdsOf(cart, meshOf([cart]))).toEqual([
      { kind: "dependency", reason: "comes after db, which nobody knows any more; apply that" },
    ]);
  });
});

describe("a queued rollout", () => {
  const service = { service: "shop" };
  const waits = peer("v3", "queued", service, 30);

  test.each<[string, readonly Peer[], string | undefined]>([
    ["begins alone", [], undefined],
    ["begins beside others of other services", [peer("a", "stage"), peer("b", "stage", { service: "pay" })], undefined],
    ["begins after those that have ended", [peer("a", "rolledBack", service), peer("b", "handedOver", service)], undefined],
    ["begins before those that were applied later", [peer("v4", "queued", service, 40)], undefined],
    ["waits for the one that runs", [peer("v1", "promoted", service, 1)], "number 1 in the queue of service shop, after v1"],
    [
      "waits for those before it",
      [peer("v2", "queued", service, 20), peer("v1", "rollingBack", service, 1)],
      "number 2 in the queue of service shop, after v1, v2",
    ],
  ])("%s", (_, others, reason) => {
    expect(turnOf(waits, meshOf([waits, ...others]))).toEqual(reason === undefined ? undefined : { kind: "order", reason });
  });

  test.each<[string, number, readonly Peer[], string | undefined]>([
    ["begins below the limit", 2, [peer("a", "stage")], undefined],
    ["waits at the limit", 1, [peer("a", "rollingBack")], "number 1 in the queue, because the policy lets 1 run at once"],
    [
      "does not count who is promoted, has ended or waits later",
      1,
      [peer("a", "promoted"), peer("b", "rolledBack"), peer("c", "queued", {}, 40)],
      undefined,
    ],
    [
      "lets those first that were applied before it",
      2,
      [peer("a", "stage"), peer("b", "queued", {}, 20)],
      "number 2 in the queue, because the policy lets 2 run at once",
    ],
    [
      "does not wait for one before it that its service keeps back",
      2,
      [peer("a", "stage", { service: "pay" }), peer("b", "queued", { service: "pay" }, 20)],
      undefined,
    ],
  ])("%s", (_, active, others, reason) => {
    const alone = peer("v3", "queued", {}, 30);
    expect(turnOf(alone, meshOf([alone, ...others], { limits: { active } }))).toEqual(
      reason === undefined ? undefined : { kind: "order", reason },
    );
  });

  test("is not limited where the policy names no number", () => {
    expect(turnOf(waits, meshOf([waits], { limits: {} }))).toBeUndefined();
  });
});

describe("a group", () => {
  const together = { together: "shop" };
  const ramps: Partial<RolloutInput> = { together: "shop", strategy: { type: "canary", ramp: "auto" } };
  const heldBy = (mine: Peer, other: Peer, earned = false): string | undefined =>
    groupHold(mine, meshOf([mine, other], { hasEarned: () => earned }))?.reason;
  const waits = "group shop goes together, and pay cannot go on yet";

  test.each<[string, State, State, boolean, boolean]>([
    ["waits for a member that has not earned the same step", "stage", "stage", false, true],
    ["goes on when that has earned it too", "stage", "stage", true, false],
    ["waits for a member that is behind, whatever it has earned", "next", "stage", true, true],
    ["catches up with a member that is ahead", "stage", "next", false, false],
    ["waits for a member that is paused", "stage", "paused", false, true],
    ["waits for a member that has not begun", "stage", "pending", false, true],
    ["waits for a member in a queue", "stage", "queued", false, true],
    ["does not wait for one that is promoted", "stage", "promoted", false, false],
    ["does not wait for one that is being promoted", "stage", "promoting", false, false],
    ["does not wait for one that has ended", "stage", "rolledBack", false, false],
    ["does not wait for one on its way back", "stage", "rollingBack", false, false],
    ["begins without waiting", "pending", "stage", false, false],
  ])("member %s", (_, mine, other, earned, isHeld) => {
    expect(heldBy(peer("cart", mine, together), peer("pay", other, together), earned)).toBe(isHeld ? waits : undefined);
  });

  test.each<[string, State | PlanState, State | PlanState, boolean]>([
    ["waits for one with a smaller share", "holdback", "ramp", true],
    ["lets one with a larger share be", "ramp", "holdback", false],
    ["waits for one that is paused at its share", "holdback", { ...at.paused, shareBp: 1_000 }, true],
    ["lets one be that is paused in its holdback", "ramp", { ...at.paused, stage: 1 }, false],
    ["lets one be that is paused at its promotion", "holdback", { ...at.paused, stage: 2 }, false],
  ])("member with a ramp %s", (_, mine, other, isHeld) => {
    expect(heldBy(peer("cart", mine, ramps), peer("pay", other, ramps))).toBe(isHeld ? waits : undefined);
  });

  test("is all that name it and have not ended", () => {
    const cart = peer("cart", "stage", together);
    const others = [peer("pay", "stage", together), peer("old", "handedOver", together), peer("mail", "stage", { together: "office" })];
    expect(groupOf(cart, { peers: [cart, ...others] }).map(({ rollout }) => rollout.name)).toEqual(["pay"]);
    expect(groupOf(peer("alone", "stage"), { peers: others })).toEqual([]);
    expect(groupHold(peer("alone", "stage"), meshOf(others))).toBeUndefined();
  });
});
