import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Reply } from "../../../src/contract/messages.ts";
import { SUBJECTS } from "../../../src/contract/names.ts";
import type { SegmentPlan } from "../../../src/contract/segments.ts";
import { SegmentKeeper } from "../../../src/controller/segments.ts";
import { cutUsers, manyUsers } from "../../support/segments.ts";
import { documentOf } from "./builders.ts";
import { Play } from "./play.ts";

let play: Play;
beforeEach(() => {
  play = new Play(Number.POSITIVE_INFINITY);
});

let commands = 0;
const id = (): string => `command-${(commands += 1)}`;
const send = (verb: "apply" | "store", more: object): Promise<Reply> =>
  play.send(verb, { ...Object({ rollout: undefined }), id: id(), ...more });
const askFor = (plan: SegmentPlan | object): Promise<Reply> => send("apply", { document: plan });

/** Sends what the leader lacks, then the segment; the number of chunks that it lacked. */
async function give({ plan, chunks }: ReturnType<typeof cutUsers>): Promise<number> {
  const { lacking = [] } = await askFor(plan);
  for (const hash of lacking) expect((await send("store", { chunk: chunks.get(hash)?.toString("base64") })).result).toBe("done");
  expect((await askFor(plan)).result).toBe(lacking.length === 0 ? "unchanged" : "done");
  return lacking.length;
}

const asking = documentOf("cart", { targets: [{ name: "vip", variant: "canary", when: { not: { segment: "testers" } } }] });
const USERS = manyUsers(3_000);

describe("a segment", () => {
  test("is published when its chunks are there; one more user is one chunk more", async () => {
    expect(await give(cutUsers("testers", USERS))).toBe(4);
    const first = play.manifest?.segments?.["testers"];
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await give(cutUsers("testers", [...USERS, "one-more"]))).toBe(1);
    expect(play.manifest?.segments?.["testers"]).not.toBe(first);
  });

  test("that is as it was changes nothing", async () => {
    await give(cutUsers("testers", USERS));
    const { revision } = play.manifest ?? {};
    expect(await askFor(cutUsers("testers", USERS).plan)).toMatchObject({ result: "unchanged", message: "segment testers is as it was" });
    expect(play.manifest?.revision).toBe(revision);
  });

  test("of a condition alone needs no chunk", async () => {
    const when = { method: ["GET"] };
    const { plan } = cutUsers("readers", []);
    expect(await askFor({ ...plan, when })).toMatchObject({ result: "done", message: "apply: 0 users in 0 chunks and a condition" });
  });

  test.each([
    { title: "raw users", change: { users: ["ann"] }, message: "users: raw user ids are never sent; let `serin apply` hash them" },
    { title: "a file", change: { usersFrom: "a.txt" }, message: "users: raw user ids are never sent; let `serin apply` hash them" },
    {
      title: "a bad name",
      change: { name: "A" },
      message: "name: not a name; use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit",
    },
  ])("with $title is invalid", async ({ change, message }) => {
    expect(await askFor({ ...cutUsers("testers", []).plan, ...change })).toMatchObject({ result: "invalid", message });
  });

  test("stands in the audit of the rollouts that ask for it, and in no other", async () => {
    await give(cutUsers("testers", USERS));
    await play.apply(asking);
    await give(cutUsers("testers", [...USERS, "one-more"]));
    await give(cutUsers("staff", ["bob"]));
    await play.until("audit complete", () => play.live?.outbox.length === 0);
    const told = play.store.audit.filter(({ action }) => action === "segment").map(({ reason }) => reason);
    expect(told).toEqual(["segment testers has 3001 users"]);
  });

  test("is there again after a change of leaders, also when the last one fell before it was published", async () => {
    await give(cutUsers("testers", USERS));
    const { plan, chunks } = cutUsers("testers", [...USERS, "one-more"]);
    const before = play.manifest?.segments;
    for (const chunk of chunks.values()) await send("store", { chunk: chunk.toString("base64") });
    play.store.losesNextAnswer = true;
    expect((await askFor(plan)).result).toBe("failed");
    expect(play.manifest?.segments).toEqual(before);
    play.kill();
    await play.turn();
    expect(play.manifest?.segments).not.toEqual(before);
    expect((await askFor(plan)).result).toBe("unchanged");
  });

  test("whose chunks went is left out of what sidecars get, and may be applied again", async () => {
    await give(cutUsers("testers", USERS));
    play.kill();
    const ports = play.store.ports(Number.POSITIVE_INFINITY);
    const [hash = ""] = Object.values(cutUsers("testers", USERS).plan.chunks);
    await ports.state.purge(SUBJECTS.blob(hash));
    await play.turn();
    expect(play.manifest?.segments).toBeUndefined();
    expect(await give(cutUsers("testers", USERS))).toBe(1);
  });
});

describe("chunks", () => {
  test("are listed once at a change of leaders, however many segments there are", async () => {
    const names = ["first", "second", "third"];
    for (const name of names) await give(cutUsers(name, ["ann"]));
    const { state, ...ports } = play.store.ports(Number.POSITIVE_INFINITY);
    const subjects = vi.fn<typeof state.subjects>(state.subjects);
    const keeper = new SegmentKeeper(Object({ ...ports, state: { ...state, subjects } }));
    await keeper.load();
    expect([keeper.names, subjects.mock.calls.length]).toEqual([names, 1]);
  });

  test.each([
    { title: "nothing", chunk: undefined },
    { title: "half a user", chunk: "AAAA" },
    { title: "users that are not sorted", chunk: Buffer.from("00000000000000020000000000000001", "hex").toString("base64") },
  ])("of $title are not stored", async ({ chunk }) => {
    expect(await send("store", { chunk })).toMatchObject({ result: "invalid" });
  });

  test("stay while a manifest needs them, and go when none has for ten minutes", async () => {
    const [before, after] = [cutUsers("testers", USERS), cutUsers("testers", [...USERS, "one-more"])];
    await give(before);
    await give(after);
    const isStored = (hash: string): boolean => play.store.read(SUBJECTS.blob(hash)) !== undefined;
    const gone = Object.values(before.plan.chunks).filter((hash) => !after.chunks.has(hash));
    expect(gone.map(isStored)).toEqual([true]);
    play.nowMs += 61_000;
    await play.turn();
    play.nowMs += 660_000;
    await play.turn();
    expect(gone.map(isStored)).toEqual([false]);
    expect([...after.chunks.keys()].filter((hash) => !isStored(hash))).toEqual([]);
    expect(isStored(play.manifest?.segments?.["testers"] ?? "")).toBe(true);
  });

  test("that were unused for long are spared when they are asked for again", async () => {
    const { plan, chunks } = cutUsers("testers", USERS);
    for (const chunk of chunks.values()) await send("store", { chunk: chunk.toString("base64") });
    play.nowMs += 61_000;
    await play.turn();
    play.nowMs += 590_000;
    const other = cutUsers("testers", [...USERS, "one-more"]);
    expect((await askFor(other.plan)).lacking).toHaveLength(1);
    play.nowMs += 61_000;
    await play.turn();
    // The three that both have were asked for; the fourth was not.
    expect((await askFor(plan)).lacking).toEqual([...chunks.keys()].filter((hash) => !other.chunks.has(hash)));
  });
});

describe("a rollout that asks for a segment", () => {
  test("that is not there is refused with its name", async () => {
    expect(await play.apply(asking, id())).toMatchObject({
      result: "refused",
      message: "targets.0.when: there is no segment testers, none was applied yet; apply it first, or in the same command",
    });
    await give(cutUsers("staff", ["bob"]));
    expect((await play.apply(asking, id())).message).toContain("there is no segment testers, known are staff; ");
  });

  test("that is there begins", async () => {
    await give(cutUsers("testers", USERS));
    expect((await play.apply(asking, id())).result).toBe("done");
  });
});
