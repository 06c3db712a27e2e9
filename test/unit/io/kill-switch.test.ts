import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type KillOrder, KillScopeSchema, scopeToken } from "../../../src/contract/kills.ts";
import { orderId, readOperatorKeys, readSigningKey, signKill } from "../../../src/io/kill-signatures.ts";
import { createKillSwitch } from "../../../src/io/kill-switch.ts";
import { createLog } from "../../../src/io/log.ts";

const log = createLog({ name: "test", level: "silent" });
const operator = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");

const orderOf = (change: Partial<KillOrder> = {}): KillOrder => ({
  format: 1,
  scope: { rollout: "cart" },
  off: true,
  atMs: 1_000,
  who: "alice",
  ...change,
});
const bytes = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "serin-kill-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function switchOf(...keys: (typeof operator)[]) {
  const path = join(await directory(), "keys.pem");
  await writeFile(path, keys.map(({ publicKey }) => publicKey.export({ type: "spki", format: "pem" })).join("\n"));
  return createKillSwitch(await readOperatorKeys(path), log);
}

describe("an order to switch off", () => {
  test("signed by an operator is in force until a later one lifts it; an older one changes nothing", async () => {
    const orders = await switchOf(stranger, operator);
    const hear = (change: Partial<KillOrder>) => orders.hear(bytes(signKill(orderOf(change), operator.privateKey)));
    expect([hear({}), hear({}), hear({ atMs: 999, off: false })]).toEqual([true, false, false]);
    expect(orders.inForce()).toEqual([orderOf()]);
    expect([hear({ atMs: 1_001, off: false }), orders.inForce(), hear({})]).toEqual([true, [], false]);
  });

  test("is told of once, with whether it is obeyed and why not", async () => {
    const orders = await switchOf(operator);
    const given = [
      signKill(orderOf(), operator.privateKey),
      signKill(orderOf({ atMs: 999, off: false }), operator.privateKey),
      signKill(orderOf({ atMs: 1_001, off: false }), stranger.privateKey),
    ];
    for (const order of [...given, ...given]) orders.hear(bytes(order));
    expect(orders.heard()).toEqual([
      { id: orderId(JSON.stringify(given[0])), isObeyed: true },
      {
        id: orderId(JSON.stringify(given[1])),
        isObeyed: false,
        problem: "an order that was given later, by its sender's clock, is known for the same",
      },
      { id: orderId(JSON.stringify(given[2])), isObeyed: false, problem: expect.stringContaining("whose key is not known here") },
    ]);
    for (let atMs = 2_000; atMs < 2_020; atMs += 1) orders.hear(bytes(signKill(orderOf({ atMs }), operator.privateKey)));
    expect(orders.heard()).toHaveLength(8);
  });

  test("of another scope stands beside it", async () => {
    const orders = await switchOf(operator);
    const scopes = [
      {},
      { rollout: "cart" },
      { rollout: "cart", user: "00112233445566ff" },
      { segment: "staff" },
      { segment: "staff", rollout: "cart" },
    ] as const;
    for (const scope of scopes) orders.hear(bytes(signKill(orderOf({ scope }), operator.privateKey)));
    expect(orders.inForce().map(({ scope }) => scopeToken(scope))).toEqual([
      "all",
      "rollout.cart",
      "user.cart.00112233445566ff",
      "segment.staff",
      "segment.staff.cart",
    ]);
    expect(orders.kept()).toHaveLength(5);
  });

  const signed = signKill(orderOf(), operator.privateKey);
  test.each<{ title: string; data: Uint8Array }>([
    { title: "signed by a stranger", data: bytes(signKill(orderOf(), stranger.privateKey)) },
    { title: "that was altered", data: bytes({ ...signed, payload: signed.payload.replace("cart", "shop") }) },
    {
      title: "with a stranger's signature under the operator's name",
      data: bytes({ ...signKill(orderOf(), stranger.privateKey), keyId: signed.keyId }),
    },
    { title: "without a signature", data: bytes(orderOf()) },
    { title: "that is no JSON", data: Buffer.from("off") },
    {
      title: "of a form that this version does not know",
      data: bytes(signKill({ ...orderOf(), scope: { user: "00112233445566ff" } }, operator.privateKey)),
    },
  ])("$title is refused, and counted", async ({ data }) => {
    const orders = await switchOf(operator);
    expect([orders.hear(data), orders.refused(), orders.inForce()]).toEqual([false, 1, []]);
  });

  test("is obeyed by nobody who was given no key", () => {
    const orders = createKillSwitch(new Map(), log);
    expect([orders.hear(bytes(signed)), orders.refused()]).toEqual([false, 1]);
  });
});

test.each<{ title: string; scope: object; isValid: boolean }>([
  { title: "all", scope: {}, isValid: true },
  { title: "a user is of one rollout", scope: { user: "00112233445566ff" }, isValid: false },
  { title: "a segment is of all rollouts", scope: { segment: "staff" }, isValid: true },
  { title: "or of one", scope: { segment: "staff", rollout: "cart" }, isValid: true },
  { title: "a user and a segment are two orders", scope: { segment: "staff", rollout: "cart", user: "00112233445566ff" }, isValid: false },
])("$title: $scope", ({ scope, isValid }) => {
  expect(KillScopeSchema.safeParse(scope).success).toBe(isValid);
});

describe("a key that cannot be used is refused with its file and how to make one", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  test.each<{ title: string; text: string | Buffer; read: (path: string) => Promise<unknown>; problem: RegExp }>([
    { title: "no key", text: "none", read: readOperatorKeys, problem: /keys\.pem holds no public key in PEM; make it with/ },
    {
      title: "another kind",
      text: rsa.publicKey.export({ type: "spki", format: "pem" }),
      read: readOperatorKeys,
      problem: /a key of rsa, not of ed25519/,
    },
    { title: "text instead of a private key", text: "none", read: readSigningKey, problem: /holds no key that can be read; make one with/ },
  ])("$title", async ({ text, read, problem }) => {
    const path = join(await directory(), "keys.pem");
    await writeFile(path, text);
    await expect(read(path)).rejects.toThrow(problem);
  });

  test("a file that is not there", async () => {
    await expect(readSigningKey("/nowhere/operator.pem")).rejects.toThrow("/nowhere/operator.pem cannot be read; make one with");
  });
});
