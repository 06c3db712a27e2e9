import { describe, expect } from "vitest";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { Candidate } from "../../../src/controller/candidate.ts";
import { DeposedError, type FencedWriter } from "../../../src/controller/fenced-writer.ts";
import { ControllerOptionsSchema } from "../../../src/controller/options.ts";
import { type Clock, systemClock } from "../../../src/io/clock.ts";
import { createLog } from "../../../src/io/log.ts";
import { connectNats, ensureStreams, readState } from "../../../src/io/nats.ts";
import { readLease } from "../../../src/io/store.ts";
import { DEAF, LEASE_MS, test, type World } from "./world.ts";

const KEY = SUBJECTS.live("cart");
/** A clock that never moves, as a paused process sees it. */
const frozen: Clock = { nowMs: () => 0, monotonicMs: () => 0 };

async function elected(
  world: World,
  id: string,
  parts: Readonly<{ clock?: Clock; signal?: AbortSignal }> = {},
): Promise<FencedWriter | undefined> {
  const settings = ControllerOptionsSchema.parse({ id, nats: world.server.url, renewMs: 100, leaseMs: LEASE_MS });
  const link = await connectNats({ url: world.server.url, name: id, waitForServer: true });
  world.closing(() => link.close());
  await ensureStreams(link);
  const candidate = new Candidate({ link, settings, clock: parts.clock ?? systemClock, log: createLog({ name: id, level: "silent" }) });
  return candidate.elect(parts.signal ?? new AbortController().signal, DEAF);
}

async function leads(world: World, id: string, clock: Clock = systemClock): Promise<FencedWriter> {
  const writer = await elected(world, id, { clock });
  if (writer === undefined) throw new Error(`${id} was not elected`);
  return writer;
}

async function stored(world: World): Promise<string | undefined> {
  const value = await readState(world.link, KEY);
  return value === undefined ? undefined : new TextDecoder().decode(value.data);
}

describe("the fence", () => {
  test("lets the leader write, also after renewals", async ({ world }) => {
    // One who is late renews once more.
    const writer = await leads(world, "a", frozen);
    await writer.write(KEY, "first");
    await writer.renew();
    await writer.write(KEY, "second");
    expect(await stored(world)).toBe("second");
    expect(await readLease(world.link)).toMatchObject({ holder: "a", term: 1, beat: 1 });
  });

  test("keeps the order of writes that are queued at once", async ({ world }) => {
    const writer = await leads(world, "a");
    await Promise.all([writer.write(KEY, "1"), writer.renew(), writer.write(KEY, "2"), writer.renew(), writer.write(KEY, "3")]);
    expect(await stored(world)).toBe("3");
  });

  test("refuses a leader that slept through its lease, however sure of itself it is", async ({ world }) => {
    const sleeper = await leads(world, "a", frozen);
    const successor = await leads(world, "b");
    await successor.write(KEY, "new");
    expect(sleeper.isExpired).toBe(false);
    await expect(sleeper.write(KEY, "old")).rejects.toThrow(new DeposedError("b leads in term 2"));
    await expect(sleeper.renew()).rejects.toThrow(DeposedError);
    expect([await stored(world), (await readLease(world.link))?.term]).toEqual(["new", 2]);
  });

  test("takes up its own renewal when only the answer was lost", async ({ world }) => {
    const writer = await leads(world, "a");
    const lease = await readState(world.link, SUBJECTS.lease);
    // The same lease again, with another sequence: what a renewal without its answer leaves.
    await world.link.jetstream.publish(SUBJECTS.lease, lease?.data ?? "");
    await writer.write(KEY, "still leads");
    expect(await stored(world)).toBe("still leads");
  });

  test("hands JetStream's own refusals on and goes on leading", async ({ world }) => {
    const writer = await leads(world, "a");
    await expect(writer.write(KEY, "x".repeat(2_000_000))).rejects.not.toThrow(DeposedError);
    await writer.write(KEY, "small");
    expect(await stored(world)).toBe("small");
  });

  test("renews before the writes that wait, so that no amount of them costs the lease", async ({ world }) => {
    const writer = await leads(world, "a");
    const done: string[] = [];
    const write = (value: string): Promise<unknown> => writer.write(KEY, value).then(() => done.push(value));
    await Promise.all([write("1"), write("2"), write("3"), writer.renew().then(() => done.push("renewed"))]);
    expect(done).toEqual(["1", "renewed", "2", "3"]);
  });

  test("goes on leading after a sleep in which nobody took the lease, and not where somebody did", async ({ world }) => {
    let nowMs = 0;
    const late: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
    const writer = await leads(world, "a", late);
    nowMs += 10 * LEASE_MS;
    expect(writer.isExpired).toBe(true);
    await writer.write(KEY, "late");
    expect([await stored(world), writer.isExpired, (await readLease(world.link))?.beat]).toEqual(["late", false, 1]);
    nowMs += 10 * LEASE_MS;
    const successor = await leads(world, "b");
    await expect(writer.write(KEY, "too late")).rejects.toThrow(new DeposedError("b leads in term 2"));
    await successor.write(KEY, "new");
    expect(await stored(world)).toBe("new");
  });

  test("steps down by itself when NATS is away for the length of the lease", async ({ world }) => {
    const writer = await leads(world, "a");
    await world.server.kill();
    await expect(writer.write(KEY, "lost")).rejects.toThrow(new DeposedError(`no renewal was confirmed for ${LEASE_MS} ms`));
    expect(writer.isExpired).toBe(true);
  });
});

describe("the lease", () => {
  test("passes on at once when it is released", async ({ world }) => {
    const first = await leads(world, "a");
    const next = elected(world, "b", { clock: frozen });
    await first.release();
    expect((await next)?.term).toBe(2);
  });

  test("goes to one candidate only", async ({ world }) => {
    const giveUp = new AbortController();
    const candidates = ["a", "b", "c"].map((id) => elected(world, id, { clock: frozen, signal: giveUp.signal }));
    const first = await Promise.race(candidates);
    expect(first?.term).toBe(1);
    giveUp.abort();
    const all = await Promise.all(candidates);
    expect(all.filter((writer) => writer !== undefined)).toEqual([first]);
  });
});
