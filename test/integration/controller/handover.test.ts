import { expect } from "vitest";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { listAudit } from "../../../src/io/store.ts";
import { serverThat } from "../../support/http-answers.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { waitFor } from "./wait.ts";
import { test, type World } from "./world.ts";

const strategy: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "10%", minTime: "1h" }] };

async function promoted(world: World, handover: NonNullable<RolloutInput["handover"]>): Promise<void> {
  await world.sidecar("one");
  await world.apply(documentOf("cart", { strategy, handover }));
  await world.phase("cart", "stage");
  await world.send("promote", { rollout: "cart", full: true });
  await world.phase("cart", "promoted");
}

test("a promoted rollout is handed over when stable shows the new version so often, and not before; through a fail-over", async ({
  world,
}) => {
  let version = "1.0";
  let asked = 0;
  let shown = 0;
  let isSeenOnce: () => void = () => undefined;
  const seenOnce = new Promise<void>((resolve) => (isSeenOnce = resolve));
  const url = await serverThat((_, response) => {
    asked += 1;
    const answer = () => void response.end(JSON.stringify({ version }));
    if (version === "2.0") shown += 1;
    // The first one must be looked at before the second.
    if (shown === 2) void seenOnce.then(answer);
    else answer();
  });
  const first = await world.leader("a");
  const when = { http: { url, shows: [{ json: "version", equals: "2.0" }], timeout: "1m" }, every: "1s", times: 2 };
  await promoted(world, { when });
  await world.live("cart", "seen", ({ seen }) => seen === "version is 1.0, and not 2.0");
  await first.stop();
  await world.leader("b");
  const before = asked;
  await waitFor("b asks", () => asked > before || undefined);
  await world.phase("cart", "promoted");
  version = "2.0";
  await world.live("cart", "seen once", ({ seen }) => seen === `${url} shows the new version, 1 of 2 times`);
  isSeenOnce();
  await world.phase("cart", "handedOver");
  const last = await waitFor("its audit", async () =>
    (await listAudit(world.link, "cart", 50)).find(({ action }) => action === "handedOver"),
  );
  expect([last.who.name, last.reason]).toEqual(["controller b", expect.stringContaining(`${url} shows the new version`)]);
});

test("an endpoint that fails, is slow or is away hands nothing over, and status says why", async ({ world }) => {
  let status = 503;
  const url = await serverThat((_, response) => {
    if (status === 0) return;
    response.writeHead(status, { location: "/elsewhere" }).end("{}");
  });
  await world.leader("a");
  const http = { url, shows: [{ header: "x-version", equals: "2.0" }], timeout: "200ms" };
  await promoted(world, { when: { http, every: "1s", times: 1 } });
  const seen = (text: string) => world.live("cart", text, (live) => live.seen === text);
  await seen("it answers 503");
  status = 302;
  await seen("it answers 302");
  status = 200;
  await seen("x-version is missing");
  status = 0;
  await seen("no answer in 200 ms");
  expect(await world.send("handover", { rollout: "cart" })).toMatchObject({ phase: "handedOver" });
});
