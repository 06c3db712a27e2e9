import { generateKeyPairSync, randomUUID } from "node:crypto";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { STREAMS, SUBJECTS } from "../../src/contract/names.ts";
import { runCommand } from "../../src/demo/run-command.ts";
import { signKill } from "../../src/io/kill-signatures.ts";
import { storeKill } from "../../src/io/kill-store.ts";
import { connectNats, ensureStreams, type NatsLink } from "../../src/io/nats.ts";
import { type NatsCluster, startNatsCluster } from "../support/nats-cluster.ts";
import { natsFolder, routesScript, secretsScript } from "../support/nats-roles.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { type Ran, runWith } from "../unit/cli/cli-parts.ts";
import { waitFor } from "./controller/wait.ts";

test("what is shipped for one of three servers passes the server's own check", async () => {
  const folder = await natsFolder(secretsScript(), routesScript());
  onTestFinished(folder.remove);
  const { code, stderr } = await runCommand(
    inject("natsServerProgram"),
    ["-t", "-c", folder.at("cluster.conf"), "--name", "nats-1"],
    30_000,
  );
  expect([code, stderr]).toEqual([0, expect.stringMatching(/configuration file \S+ is valid/)]);
});

test("one server keeps no three replicas, and that is said with the ways out", async () => {
  const server = await startNatsServer();
  onTestFinished(server.stop);
  const link = await connectNats({ url: server.url, name: "test", waitForServer: false });
  onTestFinished(link.close);
  await expect(ensureStreams(link, { replicas: 3, onFewer: () => undefined })).rejects.toThrow(
    "NATS cannot keep SERIN_PLANS on 3 servers (replicas > 1 not supported in non-clustered mode); start as many in one cluster; where",
  );
});

/** As a controller may, for what is looked at here is made by others. */
const presenceOnThree = async ({ connection }: NatsLink): Promise<unknown> =>
  (await jetstreamManager(connection)).streams.add({ name: STREAMS.presence, subjects: [SUBJECTS.allPresence], num_replicas: 3 });

test.each(["audit", "history cart"])("`serin %s` says it where nobody answers for the audit alone", async (look) => {
  const server = await startNatsServer();
  onTestFinished(server.stop);
  const link = await connectNats({ url: server.url, name: "test", waitForServer: false });
  onTestFinished(link.close);
  // As a cluster looks whose only server that keeps it is away.
  await (await ensureStreams(link)).streams.delete(STREAMS.audit);
  const problem = `NATS answers at ${server.url}, but not for what Serin keeps in it; start those of its servers that keep it, or a controller where a stream of it was never made or is deleted\n`;
  expect(await runWith([...look.split(" "), "--nats", server.url])).toMatchObject({ code: 4, out: "", error: problem });
});

/** How long servers may take to come together, in milliseconds. */
const TOGETHER_MS = 120_000;

describe("a cluster of three each of whose streams one server keeps", () => {
  let cluster: NatsCluster;
  let link: NatsLink;
  let manager: JetStreamManager;
  beforeAll(async () => {
    cluster = await startNatsCluster();
    const login = { url: cluster.url, creds: cluster.creds("controller"), ca: cluster.ca };
    link = await connectNats({ ...login, name: "test", waitForServer: true });
    const operator = await connectNats({ ...login, creds: cluster.creds("operator"), name: "test", waitForServer: true });
    // A cluster takes some seconds to come together, and only with all three is there room for a stream on three.
    const made = () => presenceOnThree(link).catch(() => undefined);
    await waitFor("three servers", made, TOGETHER_MS);
    const order = { format: 1 as const, scope: { rollout: "cart" }, off: true, atMs: 1, who: "alice" };
    await storeKill(operator, order.scope, signKill(order, generateKeyPairSync("ed25519").privateKey));
    await operator.close();
    manager = await waitFor("the streams", () => ensureStreams(link).catch(() => undefined), TOGETHER_MS);
  }, TOGETHER_MS + 60_000);
  afterAll(async () => {
    await link?.close();
    await cluster?.stop();
  });
  const viewer = (...args: string[]): Promise<Ran> =>
    runWith([...args, "--nats", cluster.url, "--nats-ca", cluster.ca, "--nats-creds", cluster.creds("viewer")], {
      nowMs: Date.now,
      newId: randomUUID,
      signal: new AbortController().signal,
    });

  test("tells whoever wants three of each stream, and leaves them as they are", async () => {
    const fewer: [string, number][] = [];
    const replication = { replicas: 3, onFewer: (stream: string, has: number) => void fewer.push([stream, has]) };
    await ensureStreams(link, replication);
    const { plans, state, audit } = STREAMS;
    expect(fewer).toEqual([plans, state, audit].map((stream) => [stream, 1]));
    expect((await manager.streams.info(state)).config.num_replicas).toBe(1);
  });

  test("keeps an order that came before any controller on three of them, so that one away stops no controller", async () => {
    expect((await manager.streams.info(STREAMS.kills)).config.num_replicas).toBe(3);
  });

  test("shows it in `serin status --json`", async () => {
    expect(JSON.parse((await viewer("status", "--json")).out).nats).toEqual({
      cluster: "serin",
      replicas: 1,
      leads: expect.stringMatching(/^nats-[123]$/),
      behind: [],
    });
  });

  // The servers choose who keeps which.
  test.each([
    { stream: STREAMS.state, looks: ["status", "status cart", "get", "history cart"] },
    { stream: STREAMS.plans, looks: ["get cart"] },
    { stream: STREAMS.audit, looks: ["history cart", "audit"] },
  ])(
    "says while the server of $stream is away that nobody answers, and not that there is nothing",
    async ({ stream, looks }) => {
      const leader = () =>
        manager.streams.info(stream).then(
          ({ cluster: kept }) => cluster.servers.get(kept?.leader ?? ""),
          () => undefined,
        );
      const keeper = await waitFor(`the server of ${stream}`, leader, TOGETHER_MS);
      await keeper.kill();
      const ran = await Promise.all(looks.map((look) => viewer(...look.split(" "))));
      const problem = `NATS answers at ${cluster.url}, but not for what Serin keeps in it; start those of its servers that keep it, or a controller where a stream of it was never made or is deleted\n`;
      expect(ran.map(({ code, error }) => [code, error])).toEqual(looks.map(() => [4, problem]));
      await keeper.restart();
    },
    TOGETHER_MS + 60_000,
  );
});
