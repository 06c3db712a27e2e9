import { describe, expect } from "vitest";
import type { MixFigures } from "../../src/contract/mix-evidence.ts";
import type { RolloutInput } from "../../src/contract/rollout.ts";
import { readMix } from "../../src/io/store.ts";
import { requestHeaders, startTestSidecar, type TestSidecar } from "../support/sidecar.ts";
import { documentOf } from "../unit/controller/builders.ts";
import { waitFor } from "./controller/wait.ts";
import { test, type World } from "./controller/world.ts";

const document: RolloutInput = documentOf("cart", {
  strategy: { type: "canary", stages: [{ share: "20%", minTime: "1h" }] },
  targets: [{ name: "staff", variant: "canary", when: { header: { name: "x-staff", present: true } } }],
  mix: { country: { header: "x-country", values: ["SE", "DE"] } },
});

async function sidecarOf(world: World, id: string): Promise<TestSidecar> {
  const sidecar = await startTestSidecar({ id, source: { nats: world.server.url } });
  world.closing(sidecar.stop);
  await world.knows(id);
  return sidecar;
}

/** So many users ask; those of the staff are from Sweden. */
async function ask(sidecar: TestSidecar, host: string, users: number, staff: number): Promise<void> {
  const names = Array.from({ length: users }, (_, index) => ({ "x-user-id": `user-${index}`, "x-country": "DE" }));
  const people = Array.from({ length: staff }, (_, index) => ({ "x-user-id": `staff-${index}`, "x-country": "SE", "x-staff": "1" }));
  for (const headers of [...names, ...people]) await sidecar.process(requestHeaders({ ":authority": host, ...headers }));
}

const mixOf = (world: World, name: string, isWanted: (figures: MixFigures) => boolean): Promise<MixFigures> =>
  waitFor(`the mix of ${name}`, async () => {
    const record = await readMix(world.link, name);
    return record !== undefined && isWanted(record.figures) ? record.figures : undefined;
  });

const begun = (world: World, name: string) =>
  world.live(name, "in its stage", ({ plan }) => plan.phase === "stage" && plan.begunAtMs !== null);

describe("the mix of users", () => {
  test("is that of all sidecars, each user once, also when one begins anew; metrics show it", async ({ world }) => {
    const leader = await world.leader("a", { http: "127.0.0.1:0" });
    const [one, two] = [await sidecarOf(world, "one"), await sidecarOf(world, "two")];
    await world.apply(document);
    await begun(world, "cart");
    await ask(one, "cart.example", 60, 20);
    await ask(two, "cart.example", 80, 10);
    await mixOf(world, "cart", ({ users }) => users.all === 100);
    await one.beginStop();
    const again = await sidecarOf(world, "one");
    await waitFor("rules", async () => ((await again.ready()).body["revision"] === 0 ? undefined : true));
    await ask(again, "cart.example", 90, 5);
    const { users, skews } = await mixOf(world, "cart", (figures) => figures.users.all === 110);
    expect(users).toMatchObject({ target: 20 });
    expect(skews[0]?.cause).toMatchObject({ target: "staff" });
    const metrics = await (await fetch(`${leader.httpUrl}/metrics`)).text();
    expect(metrics).toContain('serin_rollout_mix_users{rollout="cart",label="country",value="SE",of="all"} 20');
    expect(metrics).toContain('serin_rollout_mix_skewed{rollout="cart",label="country"} 1');
  });

  test("is told of a rollout that only sets tags, and of none that does not ask", async ({ world }) => {
    await world.leader("a");
    const one = await sidecarOf(world, "one");
    await world.apply({ ...document, variants: { stable: {}, canary: { tags: { "x-serin-theme": "dark" } } } });
    const { mix: _none, ...plain } = document;
    await world.apply({ ...plain, name: "plain" });
    for (const name of ["cart", "plain"]) await begun(world, name);
    await ask(one, "cart.example", 30, 20);
    expect((await mixOf(world, "cart", ({ users }) => users.all === 50)).users.target).toBe(20);
    expect(await readMix(world.link, "plain")).toBeUndefined();
  });
});
