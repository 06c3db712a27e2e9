import { describe, expect } from "vitest";
import { NoLeaderError } from "../../../src/contract/errors.ts";
import type { Audit } from "../../../src/contract/messages.ts";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { auditPort, PlanConflictError, planPort } from "../../../src/controller/nats-ports.ts";
import { ensureStreams } from "../../../src/io/nats.ts";
import { listAudit, listLive, readFleet, readJudge, readLease, readLive, readPlan } from "../../../src/io/store.ts";
import { documentOf, liveOf, planState } from "../../unit/controller/builders.ts";
import { test } from "./world.ts";

const record = (id: string): Audit => ({ format: 1, id, atMs: 0, rollout: "cart", action: "stage", who: { name: "a", claimed: false } });
const plan = { format: 1, document: documentOf("cart"), who: { name: "ann", claimed: true }, atMs: 5, commandId: "command-1" } as const;

describe("an empty store", () => {
  test("holds nothing, which is no error", async ({ world }) => {
    const { link } = world;
    await ensureStreams(link);
    const all = await Promise.all([
      readLive(link, "cart"),
      readJudge(link, "cart"),
      readLease(link),
      readFleet(link),
      readPlan(link, "cart"),
    ]);
    expect(all).toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect([await listLive(link), await listAudit(link, "cart", 5)]).toEqual([[], []]);
  });

  test("answers a command with who is missing", async ({ world }) => {
    await expect(world.send("pause", { rollout: "cart" })).rejects.toThrow(NoLeaderError);
    await expect(world.send("pause", { rollout: "cart" })).rejects.toMatchObject({ exitCode: 4, message: /no controller leads/ });
  });
});

describe("the store", () => {
  test("lists live states by name", async ({ world }) => {
    await ensureStreams(world.link);
    const states = ["shop", "cart"].map((name) => liveOf(name, planState("stage")));
    for (const live of states) await world.link.jetstream.publish(SUBJECTS.live(live.rollout), JSON.stringify(live));
    expect((await listLive(world.link)).map(({ rollout }) => rollout)).toEqual(["cart", "shop"]);
  });

  test("gives the last lines of a rollout's audit, oldest first, each once", async ({ world }) => {
    await ensureStreams(world.link);
    const audit = auditPort(world.link);
    const ids = Array.from({ length: 300 }, (_, index) => `id-${index}`);
    await Promise.all(ids.map((id) => audit.append(record(id))));
    await audit.append(record("id-0"));
    await audit.append({ ...record("other"), rollout: "shop" });
    const all = await listAudit(world.link, "cart", 1_000);
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set(ids));
    expect(await listAudit(world.link, "cart", 2)).toEqual(all.slice(-2));
  });

  test("refuses a plan that was written without knowing the one before", async ({ world }) => {
    const plans = planPort(world.link, await ensureStreams(world.link), { renew: () => Promise.resolve() });
    const first = await plans.append("cart", plan, 0);
    await expect(plans.append("cart", plan, 0)).rejects.toThrow(PlanConflictError);
    const second = await plans.append("cart", { ...plan, commandId: "command-2" }, first);
    expect((await readPlan(world.link, "cart"))?.sequence).toBe(second);
    expect((await plans.at("cart", first))?.commandId).toBe("command-1");
    expect([await plans.at("shop", first), await plans.at("cart", 99)]).toEqual([undefined, undefined]);
  });
});
