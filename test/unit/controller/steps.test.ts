import { expect, test } from "vitest";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { Outbox } from "../../../src/controller/outbox.ts";
import { PolicyKeeper } from "../../../src/controller/policy-keeper.ts";
import { Publisher } from "../../../src/controller/publisher.ts";
import { newSeat, type Seat } from "../../../src/controller/seats.ts";
import { SegmentKeeper } from "../../../src/controller/segments.ts";
import { Steps } from "../../../src/controller/steps.ts";
import { decodeManifest } from "../../../src/io/rules-store.ts";
import { liveOf, planState, rolloutOf } from "./builders.ts";
import { MemoryStore } from "./memory-store.ts";
import { partsOver } from "./parts.ts";

test("steps that could not be published go out with the next step, and not only when time goes by", async () => {
  const store = new MemoryStore();
  const parts = partsOver(store);
  const outbox = new Outbox(parts);
  const posted: (() => Promise<void>)[] = [];
  const steps = new Steps(parts, {
    publisher: new Publisher(parts, new SegmentKeeper(parts)),
    outbox,
    policy: new PolicyKeeper(parts, outbox),
    users: () => undefined,
    postLater: (job) => posted.push(job),
  });
  const grow = async (name: string, shareBp: number): Promise<void> => {
    const seat: Seat = steps.seats.get(name) ?? newSeat(rolloutOf(name), liveOf(name, planState("stage")), 5);
    steps.seats.set(name, seat);
    const effects = [{ type: "serve", run: 3, shareBp, off: false, advances: true }] as const;
    await steps.take(seat, { state: planState("stage"), effects }, { who: steps.self });
  };
  const shares = (): unknown => {
    const stored = store.read(SUBJECTS.manifest);
    return Object.entries(stored === undefined ? {} : decodeManifest(stored.data).live).map(([name, { shareBp }]) => [name, shareBp]);
  };

  await grow("cart", 2_000);
  store.refuses = [SUBJECTS.manifest];
  await expect(posted.shift()?.()).rejects.toThrow("no space left");
  store.refuses = [];
  await grow("pay", 3_000);
  await posted.shift()?.();
  expect(shares()).toEqual([
    ["cart", 2_000],
    ["pay", 3_000],
  ]);
});
