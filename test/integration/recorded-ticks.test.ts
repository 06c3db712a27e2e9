import { jetstreamManager } from "@nats-io/jetstream";
import { describe, expect } from "vitest";
import { STREAMS, SUBJECTS } from "../../src/contract/names.ts";
import type { RolloutInput } from "../../src/contract/rollout.ts";
import { type RecordedTick, RecordedTickSchema } from "../../src/contract/ticks.ts";
import { decodeStored } from "../../src/io/store.ts";
import { messagesOf } from "../../src/io/stream-messages.ts";
import { type Ran, runWith } from "../unit/cli/cli-parts.ts";
import { documentOf } from "../unit/controller/builders.ts";
import { waitFor } from "./controller/wait.ts";
import { test, type World } from "./controller/world.ts";

const strategy: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "20%", minTime: "1h", minSample: 50 }] };
const replay = (world: World, ...args: string[]): Promise<Ran> => runWith(["replay", "cart", ...args, "--nats", world.server.url]);

async function ticks(world: World): Promise<RecordedTick[]> {
  const found: RecordedTick[] = [];
  for await (const stored of messagesOf(world.link, STREAMS.ticks, SUBJECTS.ticks("cart"))) {
    found.push(decodeStored(RecordedTickSchema, stored));
  }
  return found;
}

const moreTicks = (world: World, more: (ticks: readonly RecordedTick[]) => boolean): Promise<RecordedTick[]> =>
  waitFor("more ticks", async () => {
    const found = await ticks(world);
    return more(found) ? found : undefined;
  });

const linesOf = ({ out }: Ran): { isEqual: boolean; verdict: string; action: string; share: number }[] =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

describe("recorded ticks", () => {
  test("give the same verdicts by `serin replay`, over a takeover in the middle, to the rollback", async ({ world }) => {
    const first = await world.leader("a");
    const sidecar = await world.sidecar("one");
    await world.apply(documentOf("cart", { strategy }));
    await moreTicks(world, (found) => found.length >= 10);
    await first.stop();
    await world.leader("b");
    await moreTicks(world, (found) => found.filter(({ term }) => term === 2).length >= 5);
    sidecar.traffic.canaryFailed = 50;
    await world.phase("cart", "rolledBack");
    await moreTicks(world, (found) => found.at(-1)?.verdict === "rollback");

    const ran = await replay(world);
    const lines = linesOf(ran);
    expect([ran.code, lines.length, lines.every(({ isEqual }) => isEqual)]).toEqual([0, (await ticks(world)).length, true]);
    expect(lines.map(({ action }) => action).filter((action) => action !== "hold")).toEqual(["weight", "rollback"]);
    expect(lines.at(-1)).toMatchObject({ verdict: "rollback", action: "rollback", share: 0 });
    expect(ran.error).toContain("the leader of term 2 goes on from the state that it found\n");
    expect(ran.error).toMatch(/cart, attempt that began with run 1: \d+ ticks judged; each verdict is as recorded\n$/);
  });

  test("hold a verdict for each state of an attempt; one that differs is told by exit code 3", async ({ world }) => {
    await world.leader("a");
    await world.sidecar("one");
    await world.apply(documentOf("cart", { strategy }));
    const [begin] = await moreTicks(world, (found) => found.length >= 3);
    expect(begin).toMatchObject({ sequence: 1, term: 1, firstRun: 1, state: expect.anything(), policy: { minSample: 50 } });
    const forged = { ...begin, firstRun: 900, verdict: "rollback" };
    await world.link.jetstream.publish(SUBJECTS.ticks("cart"), JSON.stringify(forged));
    const ran = await replay(world, "--attempt", "900");
    expect([ran.code, linesOf(ran).map(({ isEqual }) => isEqual)]).toEqual([3, [false]]);
    expect(ran.error).toContain("1 ticks judged; 1 differ from what is recorded");
    expect((await replay(world, "--attempt", "1")).code).toBe(0);
    const none = await replay(world, "--attempt", "77");
    expect([none.code, none.error]).toEqual([2, expect.stringContaining("no tick of the attempt that began with run 77 can be judged")]);
  });

  test("are not needed: without their stream a bad canary goes back all the same, and replay says that there are none", async ({
    world,
  }) => {
    await world.leader("a");
    const manager = await jetstreamManager(world.link.connection);
    await manager.streams.delete(STREAMS.ticks);
    const sidecar = await world.sidecar("one");
    sidecar.traffic.canaryFailed = 50;
    await world.apply(documentOf("cart", { strategy }));
    await world.phase("cart", "rolledBack");
    const ran = await replay(world);
    expect([ran.code, ran.error]).toEqual([2, expect.stringContaining("no ticks of cart are recorded")]);
  });
});
