import { Agent } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { stopAll } from "../../src/demo/stop-all.ts";
import { type SeenRequest, sendRequest } from "../../src/demo/traffic.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { readJudge, readLease, readLive } from "../../src/io/store.ts";
import { commandsOf } from "../support/doc-blocks.ts";
import { patient, withAccessLogStream } from "../support/edge-config.ts";
import { LOGS_STAT } from "../support/envoy.ts";
import { createHotEnvoys } from "../support/hot-envoy.ts";
import { plainVariant } from "../support/plain-bucketing.ts";
import {
  applyRollout,
  connect,
  HOST,
  hasBegun,
  heldAt,
  type Load,
  rolloutOf,
  startStack,
  users,
  waitForLive,
  waitForRequests,
} from "../support/stack.ts";

const GRACE_MS = 10_000;
const OTHER_HOST = "other.example";
/** Shares at which it is frozen, and that it takes afterwards. */
const [FROZEN_BP, NEXT_BP] = [2_000, 5_000];
const WELL = { code: 0, signal: null };

/** The page's lines, for an Envoy that is younger here than there would be time for. */
const inHaste = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/(--drain-time-s) \d+ (--parent-shutdown-time-s) \d+/, "$1 2 $2 20"));

/** Requests of many users, who give a connection up that they have not used for a second: Envoy ends with those that are left. */
function startVisits(port: number): Load {
  const seen: SeenRequest[] = [];
  const agent = new Agent({ keepAlive: true, timeout: 1_000 });
  const all = users(500);
  const open = new Set<Promise<unknown>>();
  const timer = setInterval(() => {
    const user = all[seen.length % all.length] ?? "";
    const sent = sendRequest({ port, host: HOST, path: "/", user, agent }).then((one) => seen.push(one));
    open.add(sent);
    void sent.finally(() => open.delete(sent));
  }, 5);
  return {
    seen,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      agent.destroy();
    },
  };
}

/** Two sidecars, two controllers, and an Envoy whose configuration is of before: it tells outcomes by another log. */
async function beforeUpgrade() {
  const stops: (() => unknown)[] = [];
  onTestFinished(() => stopAll(stops));
  const stack = await startStack({ controllers: 2 });
  stops.push(stack.stop);
  const link = await connect(stack);
  stops.push(link.close);
  const sidecars = stack.sidecarIds.map((_, index) => `unix:${join(stack.directory, `s${index}.sock`)}`);
  const envoys = await createHotEnvoys({ sidecars, stable: stack.stable.address, canary: stack.canary.address });
  stops.push(envoys.stop);
  const old = await envoys.start((shipped) => patient(withAccessLogStream(shipped)), ["envoy -c envoy/envoy.yaml"]);
  const waitForHealthy = (count = 2) =>
    waitFor(async () => (await envoys.stat("cluster.serin.membership_healthy")) === count, {
      deadlineMs: 20_000,
      what: `${count} sidecars to be healthy`,
    });
  await waitForHealthy();
  const serin = async (line: string): Promise<void> => {
    const { code, error } = await stack.serin(...line.replace("npx serin ", "").split(" "));
    expect([line, code, error]).toEqual([line, 0, ""]);
  };
  return { stack, link, envoys, old, waitForHealthy, serin, stops };
}

test("an upgrade in the page's order: no request fails or is misrouted, nothing grows, what must go back does, and all goes on after", async () => {
  const { stack, link, envoys, old, waitForHealthy, serin, stops } = await beforeUpgrade();
  await applyRollout(stack, { ...rolloutOf("other", heldAt("50%")), match: { hosts: [OTHER_HOST] } });
  await waitForLive(link, "other", hasBegun);
  await applyRollout(stack, rolloutOf("upgrade", [{ share: "20%", minTime: "5s", minSample: 50 }, ...heldAt("50%")]));
  const begun = await waitForLive(link, "upgrade", hasBegun);
  for (const line of commandsOf("docs/release.md", "freeze")) await serin(line);
  const load = startVisits(envoys.port());
  stops.push(load.stop);
  await waitForRequests(load, 100);

  const [user = ""] = users(100).filter((each) => plainVariant("other", each, 5_000) === "canary");
  const other = async () => (await sendRequest({ port: envoys.port(), host: OTHER_HOST, path: "/", user })).seen;
  expect(await other()).toBe("canary");
  for (const index of [0, 1]) {
    expect(await stack.sidecar(index).stop(GRACE_MS)).toEqual(WELL);
    // Envoy has noticed: else the number could be that of before.
    await waitForHealthy(1);
    await stack.startSidecar(index);
    await waitForHealthy();
    await waitForRequests(load, 100);
    if (index === 1) continue;
    // One sidecar is new, the other one, Envoy and the controllers are old.
    await serin("npx serin abort other");
    await waitForLive(link, "other", ({ plan }) => plan.phase === "rolledBack");
    await waitFor(async () => (await other()) === "stable", { deadlineMs: 30_000, what: "what went back to be on stable" });
  }

  const isHeard = async (): Promise<boolean> => ((await readJudge(link, "upgrade"))?.totals.canary.requests ?? 0) > 100;
  await waitFor(isHeard, { deadlineMs: 30_000, what: "the new sidecars to hear outcomes of the old Envoy" });

  await envoys.start(patient, inHaste(commandsOf("docs/release.md", "envoy")));
  await waitForHealthy();
  expect(await old.ended).toEqual(WELL);
  await waitForRequests(load, 200);
  expect(await envoys.stat(`${LOGS_STAT}.logs_written`)).toBeGreaterThan(100);

  const leader = (await readLease(link))?.holder;
  const [standby, last] = leader === "controller-0" ? [1, 0] : [0, 1];
  for (const index of [standby, last]) {
    expect(await stack.controller(index).stop(GRACE_MS)).toEqual(WELL);
    await stack.startController(index);
  }
  await waitFor(async () => (await readLease(link))?.holder === `controller-${standby}`, {
    deadlineMs: 30_000,
    what: "the new one to lead",
  });

  const isEarned = async (): Promise<boolean> => ((await readJudge(link, "upgrade"))?.verdict?.safeShareBp ?? 0) >= NEXT_BP;
  await waitFor(isEarned, { deadlineMs: 60_000, what: "evidence for the next step" });
  const { plan, shareBp } = (await readLive(link, "upgrade")) ?? begun;
  expect([plan.run, shareBp]).toEqual([begun.plan.run, FROZEN_BP]);
  const seen = [...load.seen];
  expect(seen.length).toBeGreaterThan(1_000);
  expect(seen.filter((one) => one.seen !== plainVariant("upgrade", one.user, FROZEN_BP))).toEqual([]);

  for (const line of commandsOf("docs/release.md", "unfreeze")) await serin(line);
  await waitForLive(link, "upgrade", (live) => live.shareBp === NEXT_BP && hasBegun(live));
  await load.stop();
  expect(load.seen.filter(({ status }) => status !== 200)).toEqual([]);
});
