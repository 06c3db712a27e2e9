import { generateKeyPairSync } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { STREAMS } from "../../src/contract/names.ts";
import { signKill } from "../../src/io/kill-signatures.ts";
import { readKills, readOrders, storeKill } from "../../src/io/kill-store.ts";
import { connectNats, ensureStreams } from "../../src/io/nats.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { runWith } from "../unit/cli/cli-parts.ts";

test("where nobody ever gave an order there is none, and whoever asks hears no fault", async () => {
  const nats = await startNatsServer();
  const link = await connectNats({ url: nats.url, name: "test", waitForServer: false, doubtsSilence: true });
  onTestFinished(async () => {
    await link.close();
    await nats.stop();
  });
  expect(await readOrders(link)).toEqual({ inForce: [], refused: [] });
  const status = await runWith(["status", "--json", "--nats", nats.url]);
  expect(status).toMatchObject({ code: 0, error: "" });

  const order = { format: 1 as const, scope: { rollout: "checkout" }, off: true, atMs: 1, who: "alice" };
  await storeKill(link, order.scope, signKill(order, generateKeyPairSync("ed25519").privateKey));
  expect((await readOrders(link)).inForce).toEqual([order]);
});

test("where nobody answers for orders, though controllers made the streams, whoever doubts silence does not take it for none", async () => {
  const nats = await startNatsServer();
  onTestFinished(nats.stop);
  const [sure, doubting] = await Promise.all(
    [false, true].map((doubtsSilence) => connectNats({ url: nats.url, name: "test", waitForServer: false, doubtsSilence })),
  );
  onTestFinished(async () => void (await Promise.all([sure?.close(), doubting?.close()])));
  if (sure === undefined || doubting === undefined) throw new Error("no connections");
  const manager = await ensureStreams(sure);
  await manager.streams.delete(STREAMS.kills);
  expect(await readKills(sure)).toEqual([]);
  await expect(readKills(doubting)).rejects.toMatchObject({ code: 503 });
  expect(await runWith(["status", "--nats", nats.url])).toMatchObject({
    code: 4,
    error: expect.stringMatching(
      /start those of its servers that keep it, or a controller where a stream of it was never made or is deleted\n$/,
    ),
  });
});
