import { describe, expect, onTestFinished, test } from "vitest";
import { connectNats, ensureStreams } from "../../../src/io/nats.ts";
import { startNatsServer } from "../../support/nats-server.ts";
import { type Ran, runWith } from "../../unit/cli/cli-parts.ts";

type Serin = (...args: string[]) => Promise<Ran>;

/** A NATS server of which no controller of Serin knows yet. */
async function newServer(...args: string[]): Promise<{ serin: Serin; url: string }> {
  const { url, stop } = await startNatsServer({ args });
  onTestFinished(stop);
  return { url, serin: (...words) => runWith([...words, "--nats", url]) };
}

describe("before any controller ran", () => {
  test("there is nothing to show, and that is no error", async () => {
    const { serin } = await newServer();
    const shown = await Promise.all([serin("audit"), serin("audit", "cart", "--json"), serin("get")]);
    expect(shown.map(({ code, out, error }) => [code, out, error])).toEqual([
      [0, "", ""],
      [0, "", ""],
      [0, "no rollouts\n", ""],
    ]);
  });

  test.each([
    ["history", "there is no rollout cart; `serin status` names those that there are\n"],
    [
      "replay",
      "no ticks of cart are recorded, or the NATS server that keeps them is away; `serin status` names the rollouts, and ticks are kept for 7 days\n",
    ],
  ])("a rollout that `serin %s` names is not there", async (verb, said) => {
    const { serin } = await newServer();
    const { code, error } = await serin(verb, "cart");
    expect([code, error]).toEqual([2, said]);
  });
});

test("a NATS without JetStream is said to be one, with the way to start it", async () => {
  const { serin, url } = await newServer("--jetstream=false");
  const ran = await Promise.all([serin("status"), serin("get"), serin("watch")]);
  const said = `JetStream does not answer in NATS at ${url}; start NATS with it, as by deploy/nats-server.conf or --jetstream\n`;
  expect(ran.map(({ code, error }) => [code, error])).toEqual(ran.map(() => [4, said]));
});

test("ticks may be missing where the other streams are, and then there are none", async () => {
  const { serin, url } = await newServer();
  const link = await connectNats({ url, name: "test", waitForServer: false });
  onTestFinished(link.close);
  await ensureStreams(link);
  const { code, error } = await serin("replay", "cart");
  expect([code, error]).toEqual([2, expect.stringMatching(/^no ticks of cart are recorded, or /)]);
});
