import process from "node:process";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { METRICS, STREAMS } from "../../src/contract/names.ts";
import { stopAll } from "../../src/demo/stop-all.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { type NatsCluster, startNatsCluster } from "../support/nats-cluster.ts";
import { plainVariant } from "../support/plain-bucketing.ts";
import {
  applyRollout,
  askAll,
  connect,
  hasBegun,
  type Load,
  rolloutOf,
  type Stack,
  startLoad,
  startStack,
  users,
  waitForLive,
} from "../support/stack.ts";

const FIRST = { share: "20%", minTime: "5s", minSample: 10 };
/** Longer than it takes to look who leads, and to kill two servers. */
const LONG = { ...FIRST, minTime: "25s" };
const SECOND = { share: "50%", minTime: "1h" };
/** JetStream chooses another leader within some seconds, and after it Serin. */
const BACK_MS = 120_000;

describe("with three NATS servers", () => {
  let cluster: NatsCluster;
  let stack: Stack;
  let link: NatsLink;
  let manager: JetStreamManager;
  let load: Load;
  const stops: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    cluster = await startNatsCluster();
    stops.push(cluster.stop);
    const [first] = cluster.servers.values();
    if (first === undefined) throw new Error("no server runs");
    const login = { creds: cluster.creds("operator"), ca: cluster.ca };
    const options = {
      nats: { ...first, url: cluster.url },
      env: { ...process.env, SERIN_NATS_CREDS: login.creds, SERIN_NATS_CA: login.ca },
      sidecars: 1,
      sidecarArgs: ["--nats-creds", cluster.creds("sidecar")],
      controllers: 2,
      controllerArgs: ["--nats-creds", cluster.creds("controller"), "--nats-replicas", "3"],
    };
    stack = await startStack(options, login);
    stops.push(stack.stop);
    link = await connect(stack, login);
    stops.push(link.close);
    manager = await jetstreamManager(link.connection, { checkAPI: false });
  });
  afterAll(() => stopAll(stops));

  beforeEach(async () => {
    stack.canary.failPart(0);
    await waitForAll();
    load = startLoad(stack, 100);
  });
  afterEach(() => load.stop());

  /** Where the state is kept, as its leader says. */
  const replicas = async (): Promise<{ leader: string; others: readonly { name: string; current: boolean; offline?: boolean }[] }> => {
    const { cluster: found } = await manager.streams.info(STREAMS.state);
    return { leader: found?.leader ?? "", others: found?.replicas ?? [] };
  };
  const waitForAll = (): Promise<true> => {
    const isWhole = async (): Promise<true | undefined> => {
      const { others } = await replicas();
      return others.length === 2 && others.every(({ current, offline }) => current && offline !== true) ? true : undefined;
    };
    return waitFor(isWhole, { deadlineMs: BACK_MS, what: "all three servers to hold the state" });
  };
  const server = (name: string) => {
    const found = cluster.servers.get(name);
    if (found === undefined) throw new Error(`no server ${name}`);
    return found;
  };
  const waitForStatus = (said: RegExp): Promise<true> =>
    waitFor(async () => said.test((await stack.serin("status")).out) || undefined, {
      deadlineMs: BACK_MS,
      what: `status to say ${said.source}`,
    });
  const failed = () => load.seen.filter(({ status }) => status !== 200);

  /** Kills the server that leads the streams once the rollout has begun; its name. */
  async function killLeaderOf(name: string): Promise<string> {
    await applyRollout(stack, rolloutOf(name, [FIRST, SECOND]));
    await waitForLive(link, name, hasBegun);
    const { leader } = await replicas();
    await server(leader).kill();
    return leader;
  }
  /** Nothing failed meanwhile, and nothing does while it comes back. */
  async function bringBack(leader: string): Promise<void> {
    await server(leader).restart();
    await waitForAll();
    await load.stop();
    expect(failed()).toEqual([]);
  }

  test("the one that leads the streams is killed in mid-rollout: it goes on, and `status` names the server", async () => {
    const leader = await killLeaderOf("killed");
    const grown = await waitForLive(link, "killed", (live) => hasBegun(live) && live.shareBp === 5_000, BACK_MS);
    expect(grown.plan.run).toBe(3);
    await waitForStatus(new RegExp(`^1 of 3 NATS servers away or behind: ${leader}$`, "m"));
    stack.canary.failPart(1);
    await waitForLive(link, "killed", ({ plan }) => plan.phase === "rolledBack", BACK_MS);
    await bringBack(leader);
  });

  test("the one that leads the streams is killed as the canary turns bad: it goes back", async () => {
    const leader = await killLeaderOf("killed-again");
    stack.canary.failPart(1);
    await waitForLive(link, "killed-again", ({ plan }) => plan.phase === "rolledBack", BACK_MS);
    expect((await stack.serin("status", "killed-again")).code).toBe(3);
    await bringBack(leader);
  });

  test("two of them away: nothing grows and the rules stay, `status` says why, and with one of them back it goes on", async () => {
    const name = "no-quorum";
    await applyRollout(stack, { ...rolloutOf(name, [LONG, SECOND]), onUnwatched: "hold" });
    await waitForLive(link, name, hasBegun);
    const { leader, others } = await replicas();
    const gone = [leader, others[0]?.name ?? ""].map(server);
    await Promise.all(gone.map((one) => one.kill()));
    // What was due before they were gone is done or will not be; longer than the stage lasts at least.
    await waitFor(async () => (await beatAgeS()) >= 30, { deadlineMs: BACK_MS, what: "the sidecar to have heard nobody" });
    const all = users(60);
    expect((await askAll(stack, all)).map(({ seen }) => seen)).toEqual(all.map((user) => plainVariant(name, user, 2_000)));
    await waitForStatus(/^NATS takes no writes: too few of the 3 servers that keep live state answer each other; away or behind: /m);
    await gone[0]?.restart();
    await waitForLive(link, name, (live) => hasBegun(live) && live.shareBp === 5_000, BACK_MS);
    await gone[1]?.restart();
    await waitForAll();
    await load.stop();
    expect(failed()).toEqual([]);
    expect(await cluster.violations()).toEqual([]);
  });

  /** Since the sidecar heard the leader, in seconds. */
  async function beatAgeS(): Promise<number> {
    const text = await (await fetch(`${stack.sidecarUrl(0)}/metrics`)).text();
    const age = new RegExp(`^${METRICS.ruleAge}(?:\\{.*\\})? (\\S+)$`, "m").exec(text)?.[1];
    if (age === undefined) throw new Error("the sidecar tells no age of the beat");
    return Number(age);
  }
});
