import { describe, expect } from "vitest";
import { CONTROLLER_FACTS } from "../../../src/contract/controller-metrics.ts";
import { systemClock } from "../../../src/io/clock.ts";
import { startTestSidecar } from "../../support/sidecar.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { waitFor } from "./wait.ts";
import { test, type World } from "./world.ts";

const page = async (url: string | undefined): Promise<string> => (await fetch(`${url}/metrics`)).text();

/** Waits until a scrape of this address has all of these lines. */
const shows = (url: string | undefined, ...wanted: RegExp[]): Promise<string> =>
  waitFor(`a scrape with ${wanted.join(" and ")}`, async () => {
    const text = await page(url);
    return wanted.every((line) => line.test(text)) ? text : undefined;
  });

const leads = (world: World) => world.leader("a", { http: "127.0.0.1:0" });

describe("a scrape of the leader", () => {
  test("shows weight, verdict, and each check's value beside its threshold, and every metric by the words of the reference", async ({
    world,
  }) => {
    const leader = await leads(world);
    const sidecar = await world.sidecar("s1");
    sidecar.traffic.canaryFailed = 2;
    await world.apply(documentOf("cart", { strategy: { type: "canary", stages: [{ share: "10%", minTime: "1h" }] } }));
    await world.phase("cart", "stage");
    const text = await shows(
      leader.httpUrl,
      /^serin_check_value\{rollout="cart",check="errors"\} -?\d/m,
      /^serin_check_threshold\{rollout="cart",check="errors"\} 0\.\d/m,
      /^serin_rollout_verdict\{rollout="cart",verdict="\w+"\} 1$/m,
    );
    expect(text).toContain('serin_rollout_share{rollout="cart"} 0.1\n');
    expect(text).toContain('serin_rollout_info{rollout="cart",strategy="stages",mode="act"} 1\n');
    expect(text).toContain('serin_fleet_sidecars{state="ok"} 1\n');
    expect(text).toMatch(/^serin_controller_tick_duration_seconds_count [1-9]/m);
    expect(text).toMatch(/^serin_rollout_time_seconds_total\{rollout="cart",phase="stage",stage="1",waiting="(true|false)"\} \d/m);
    const lacking = CONTROLLER_FACTS.filter(
      ({ name, kind, meaning }) => !text.includes(`# HELP ${name} ${meaning}\n`) || !text.includes(`# TYPE ${name} ${kind}\n`),
    );
    expect(lacking.map(({ name }) => name)).toEqual([]);
  });

  test("counts a way back and what it saved, and shows nothing more of a rollout that is deleted", async ({ world }) => {
    const leader = await leads(world);
    const sidecar = await world.sidecar("s1");
    sidecar.traffic.canaryFailed = 50;
    await world.apply(documentOf("cart", { strategy: { type: "canary", stages: [{ share: "10%", minTime: "1h" }] } }));
    await shows(
      leader.httpUrl,
      /^serin_rollout_rollbacks_total\{rollout="cart"\} 1$/m,
      /^serin_rollout_saved_requests_total\{rollout="cart"\} [1-9]/m,
      /^serin_rollout_phase\{rollout="cart",phase="rolledBack"\} 1$/m,
    );
    await world.send("delete", { rollout: "cart" });
    await waitFor("no series of it", async () => !(await page(leader.httpUrl)).includes('rollout="cart"') || undefined);
  });

  test("shows nothing of a rollout that ended an hour ago, whoever led then, and goes on with the others", async ({ world }) => {
    const before = await leads(world);
    await world.sidecar("s1");
    for (const name of ["cart", "pay"]) await world.apply(documentOf(name, { match: { hosts: [`${name}.example`] } }));
    await world.send("abort", { rollout: "cart", reason: "a test" });
    await shows(
      before.httpUrl,
      /^serin_rollout_phase\{rollout="cart",phase="rolledBack"\} 1$/m,
      /rollout_rollbacks_total\{rollout="cart"\} 1$/m,
    );
    await before.stop();
    const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + 3_600_000 };
    const after = await world.controller("b", { clock, options: { http: "127.0.0.1:0" } });
    const text = await shows(after.httpUrl, /^serin_rollout_info\{rollout="pay"/m, /^serin_rollout_rollbacks_total\{rollout="pay"\} 0$/m);
    expect(text).not.toContain('rollout="cart"');
  });
});

test("a sidecar shows its connection, and how long rules took from their publication to force", async ({ world }) => {
  await leads(world);
  const sidecar = await startTestSidecar({ id: "s2", source: { nats: world.server.url } });
  world.closing(sidecar.stop);
  await shows(sidecar.metricsUrl, /^serin_nats_connected 1$/m);
  await world.apply(documentOf("cart"));
  const text = await shows(sidecar.metricsUrl, /^serin_rules_lag_seconds_count [1-9]/m);
  expect(text).toMatch(/^serin_rules_age_seconds \d/m);
  expect(text).toContain("serin_nats_reconnects_total 0\n");
  expect(text).toMatch(/^serin_rules_beat_age_seconds \d/m);
});
