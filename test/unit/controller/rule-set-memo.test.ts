import { test } from "@fast-check/vitest";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { type Governed, governing, liveRulesOf, staticRulesAt } from "../../../src/controller/derive-manifest.ts";
import { RuleSetMemo } from "../../../src/controller/rule-set-memo.ts";
import { encodeBlobs } from "../../../src/io/rules-store.ts";
import { liveOf, planState, rolloutOf } from "./builders.ts";

type Seat = { -readonly [Key in keyof Governed]: Governed[Key] };

const PHASES = ["queued", "pending", "stage", "promoted", "rollingBack", "rolledBack", "handedOver"] as const;
const NAMES = ["cart", "pay", "search", "shop"] as const;

/** Some of them ask for the same requests. */
const rolloutNamed = (name: string, salt: string) => rolloutOf(name, { salt, match: { hosts: [`${name.length}.example`] } });

const change = fc.record({
  name: fc.constantFrom(...NAMES),
  kind: fc.constantFrom("moves", "takes another share", "has another plan", "goes", "begins anew"),
  phase: fc.constantFrom(...PHASES),
  sinceMs: fc.nat(5),
  salt: fc.constantFrom("a", "b"),
});

type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

function applyChange(seats: Map<string, Seat>, { name, kind, phase, sinceMs, salt }: Change): void {
  const seat = seats.get(name);
  const live = liveOf(name, { ...planState(phase), sinceMs });
  if (kind === "goes") seats.delete(name);
  else if (seat === undefined || kind === "begins anew") seats.set(name, { rollout: rolloutNamed(name, salt), live });
  else if (kind === "moves") seat.live = live;
  else if (kind === "takes another share") seat.live = { ...seat.live, shareBp: sinceMs };
  else Object.assign(seat, { rollout: rolloutNamed(name, salt), live: { ...seat.live } });
}

/** As it is derived from nothing. */
const plainly = (all: readonly Governed[]) => ({
  live: liveRulesOf(all),
  blobs: encodeBlobs(Object.fromEntries(governing(all).map((one) => [one.live.rollout, staticRulesAt(one)]))),
});

describe("a rule set that is derived again and again", () => {
  test.prop([fc.array(change, { maxLength: 30 })])("is the one of its rollouts, whatever changed before", (changes) => {
    const memo = new RuleSetMemo();
    const seats = new Map<string, Seat>();
    for (const each of changes) {
      applyChange(seats, each);
      const all = [...seats.values()];
      expect(memo.derive(all)).toEqual(plainly(all));
    }
  });

  test("is the very same value where nothing changed", () => {
    const memo = new RuleSetMemo();
    const all = NAMES.map((name) => ({ rollout: rolloutNamed(name, "a"), live: liveOf(name, planState("stage")) }));
    expect(memo.derive(all)).toBe(memo.derive([...all]));
  });
});
