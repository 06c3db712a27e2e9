import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { denial, senderOf } from "../../../src/controller/senders.ts";
import { createLog } from "../../../src/io/log.ts";
import { digestOf, newToken, openTokens, type TokenBook, tokenId, tokenLine } from "../../../src/io/tokens.ts";
import { type Vouch, vouchFor, vouchIn } from "../../../src/io/vouching.ts";
import { runWith } from "../cli/cli-parts.ts";

const directory = mkdtempSync(join(tmpdir(), "serin-tokens-"));
afterAll(() => rmSync(directory, { recursive: true }));
const log = createLog({ name: "test", level: "silent" });
const clock = { now: 0, nowMs: () => clock.now, monotonicMs: () => clock.now };

const opened = (name: string, text: string): Promise<TokenBook> => {
  writeFileSync(join(directory, name), text);
  return openTokens(join(directory, name), { log, clock });
};

const line = tokenLine({ name: "ci", role: "operate", digest: digestOf("serin_secret") });

describe("a file of tokens", () => {
  test("knows tokens by their hashes, and what they may", async () => {
    const tokens = await opened("good", `# people\n\n${line}\n`);
    expect(await tokens.find("serin_secret")).toMatchObject({ name: "ci", role: "operate" });
    expect([await tokens.find("serin_other"), await tokens.find(digestOf("serin_secret").toString("hex"))]).toEqual([undefined, undefined]);
  });

  test.each(["ci operate", "ci rule sha256:00", `${line}0`, line.replace("operate", "root"), line.replace("ci", "c i")])(
    "with the line %j is refused with its place",
    async (text) => {
      await expect(opened("bad", `\n${text}\n`)).rejects.toThrow(/bad:2: not the line of a token; make one with `serin token/);
    },
  );

  test("that cannot be read is the user's error", async () => {
    await expect(openTokens(join(directory, "none"), { log, clock })).rejects.toThrow("cannot be read; write lines into it as");
  });

  test("that is changed counts within a second, and one that became unusable counts as it was", async () => {
    const tokens = await opened("changing", line);
    writeFileSync(join(directory, "changing"), `${line.replace("ci", "cd")}\n`);
    expect(await tokens.find("serin_secret")).toMatchObject({ name: "ci" });
    clock.now += 1_000;
    expect(await tokens.find("serin_secret")).toMatchObject({ name: "cd" });
    writeFileSync(join(directory, "changing"), "nonsense, and longer than it was before, so that it is read again in any case\n");
    clock.now += 1_000;
    expect(await tokens.find("serin_secret")).toMatchObject({ name: "cd" });
  });
});

describe("`serin token`", () => {
  test("makes a token and the line that knows it, each time another", async () => {
    const { out, code } = await runWith(["token", "--role", "operate", "--name", "ci", "--json"]);
    const made = JSON.parse(out);
    expect([code, made.line]).toEqual([0, tokenLine({ name: "ci", role: "operate", digest: digestOf(made.token) })]);
    expect(newToken()).not.toBe(newToken());
    expect((await runWith(["token", "--role", "view", "--name", "ann"])).out).toMatch(
      /^token, .*\nserin_\S{43}\nline .*\nann view sha256:\S{64}\n$/,
    );
  });

  test.each([[["--role", "root", "--name", "ci"]], [["--name", "ci"]], [["--role", "view", "--name", "two words"]]])(
    "with %j is a usage error",
    async (args) => {
      expect((await runWith(["token", ...args])).code).toBe(2);
    },
  );
});

describe("a command that the bearer of a token vouches for", () => {
  const payload = '{"verb":"pause"}';
  const data = Buffer.from(payload);
  const vouched = (token: string, atMs: number, text = payload): Vouch | undefined => {
    const fields = new Map(vouchFor(text, digestOf(token), atMs));
    return vouchIn((name) => fields.get(name));
  };
  const sender = async (vouch: Vouch | undefined, nowMs = 1_000) =>
    senderOf(data, vouch, { tokens: await opened("vouching", line), nowMs });

  test("is from the token's name", async () => {
    expect(await sender(vouched("serin_secret", 1_000))).toEqual({ name: "ci", role: "operate" });
  });

  test.each([
    { title: "of another token", vouch: vouched("serin_other", 1_000), why: "does not know this token" },
    { title: "over another command", vouch: vouched("serin_secret", 1_000, "{}"), why: "does not fit" },
    {
      title: "made with the public id alone",
      vouch: { id: tokenId(digestOf("serin_secret")), at: "1000", proof: "00" },
      why: "does not fit",
    },
    { title: "too old", vouch: vouched("serin_secret", 1_000 - 300_001), why: "too old" },
    { title: "of the future", vouch: vouched("serin_secret", 1_000 + 300_001), why: "too new" },
  ])("but not by a proof $title", async ({ vouch, why }) => {
    expect(await sender(vouch)).toEqual({ refused: expect.stringContaining(why) });
  });

  test("is nobody's where nothing is proven, or no tokens are known", async () => {
    expect(await sender(undefined)).toBe("unproven");
    expect(await senderOf(data, vouched("serin_secret", 1_000), { tokens: undefined, nowMs: 1_000 })).toBe("unproven");
  });
});

test.each([
  { role: "operate", verb: "abort", phase: "stage", may: true },
  { role: "view", verb: "abort", phase: "stage", may: false },
  { role: "view", verb: "apply", phase: undefined, may: false },
  { role: "view", verb: "apply", dryRun: true, phase: undefined, may: true },
  { role: "approve", verb: "promote", phase: "gate", may: true },
  { role: "approve", verb: "abort", phase: "gate", may: true },
  { role: "approve", verb: "promote", full: true, phase: "gate", may: false },
  { role: "approve", verb: "promote", phase: "stage", may: false },
  { role: "approve", verb: "handover", phase: "gate", may: false },
] as const)("the role $role may $verb in $phase: $may", ({ role, verb, phase, may, ...more }) => {
  const command = { verb, dryRun: undefined, full: undefined, ...more };
  expect(denial({ name: "ann", role }, command, phase) === undefined).toBe(may);
});
