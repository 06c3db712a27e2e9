import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { type Ran, runWith } from "../../unit/cli/cli-parts.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { test, type World } from "../controller/world.ts";

/** Testers are on the canary, whatever the share. */
const CHANGE: Partial<RolloutInput> = {
  strategy: { type: "canary", stages: [{ share: "10%", minTime: "1h" }] },
  targets: [{ name: "testers", variant: "canary", when: { header: { name: "x-beta", present: true } } }],
};

/** A world with a rollout, and the files of an operator's key. */
async function prepared(
  world: World,
): Promise<{ serin(...args: string[]): Promise<Ran>; pem: string; keys: string; strangers: string; file: string }> {
  const directory = await mkdtemp(join(tmpdir(), "serin-orders-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const [operator, stranger] = [generateKeyPairSync("ed25519"), generateKeyPairSync("ed25519")];
  const write = async (name: string, text: string | Buffer): Promise<string> => {
    await writeFile(join(directory, name), text);
    return join(directory, name);
  };
  const pem = await write("operator.pem", operator.privateKey.export({ type: "pkcs8", format: "pem" }));
  const keys = await write("operators.pem", operator.publicKey.export({ type: "spki", format: "pem" }));
  const strangers = await write("strangers.pem", stranger.publicKey.export({ type: "spki", format: "pem" }));
  const document = documentOf("cart", CHANGE);
  const file = await write("cart.yaml", JSON.stringify(document));
  await world.leader("a");
  await world.sidecar("one");
  await world.apply(document);
  await world.live("cart", "begun", ({ plan }) => plan.phase === "stage" && plan.begunAtMs !== null);
  const serin = (...args: string[]): Promise<Ran> => runWith([...args, "--nats", world.server.url], { nowMs: Date.now });
  return { serin, pem, keys, strangers, file };
}

describe("an order to switch off that stands in NATS", () => {
  test("is told by `explain` and `status` as sidecars obey it", async ({ world }) => {
    const { serin, pem, keys, strangers } = await prepared(world);
    const explain = (...args: string[]): Promise<string> =>
      serin("explain", "--host", "cart.example", "--path", "/", "--header", "x-user-id=ann", "--header", "x-beta=1", ...args).then(
        ({ out }) => out,
      );
    expect(await explain()).toContain("canary, reason");
    // The sidecar of this test hears no orders, so nobody confirms.
    const { code, error } = await serin("kill", "cart", "--reason", "wrong prices", "--sign-with", pem);
    expect([code, error]).toEqual([
      5,
      "cart: the order to switch off is not in force everywhere: obeyed by 0 of 1 sidecar; one did not answer within 2 s (`serin forget ID` if gone for good)\n",
    ]);

    expect(await explain()).toMatch(/1 order to switch off in force, taken as given.*\n(.*\n)*cart: switched off by an operator: stable\n/);
    expect(await explain("--operator-keys", keys)).toMatch(
      /1 order to switch off in force\n(.*\n)*cart: switched off by an operator: stable\n/,
    );
    expect(await explain("--operator-keys", strangers)).toMatch(
      /an order to switch off counts for nothing: it is signed by .*, whose key is not known here\n(.*\n)*.*canary, reason/,
    );
    expect((await serin("status")).out).toContain("switched off: cart, by alice (wrong prices), for ");

    await serin("kill", "cart", "--lift", "--sign-with", pem);
    expect(await explain()).toContain("canary, reason");
    expect((await serin("status")).out).not.toContain("switched off");
  });
});

describe("`serin apply` of a rollout that an order switched off", () => {
  test.for([
    { title: "of itself", scope: ["cart"], lift: "cart" },
    { title: "of all", scope: ["--all"], lift: "--all" },
  ])("$title is refused until the order is lifted", async ({ scope, lift }, { world }) => {
    const { serin, pem, file } = await prepared(world);
    await serin("kill", ...scope, "--reason", "wrong prices", "--sign-with", pem);
    const { code, error } = await serin("apply", "-f", file);
    expect([code, error]).toEqual([5, `cart: refused: switched off by alice (wrong prices); \`serin kill ${lift} --lift\` first\n`]);
    await serin("kill", ...scope, "--lift", "--sign-with", pem);
    expect((await serin("apply", "-f", file)).code).toBe(0);
  });
});

test("`serin watch` of a rollout that nobody applied says so instead of waiting", async ({ world }) => {
  await world.leader("a");
  const { code, error } = await runWith(["watch", "nosuch", "--nats", world.server.url], { signal: new AbortController().signal });
  expect([code, error]).toEqual([2, "there is no rollout nosuch; `serin status` names those that there are\n"]);
});
