import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../src/demo/wait-for.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { commandsOf } from "../support/doc-blocks.ts";
import { plainVariant } from "../support/plain-bucketing.ts";
import {
  applyRollout,
  ask,
  askAll,
  connect,
  hasBegun,
  heldAt,
  rolloutOf,
  type Stack,
  startStack,
  users,
  waitForLive,
} from "../support/stack.ts";

const NAME = "switched";

const [first = "", second = ""] = users(200).filter((user) => plainVariant(NAME, user, 5_000) === "canary");

describe("an operator's signed order", () => {
  let stack: Stack;
  let link: NatsLink;
  let directory: string;
  let key: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "serin-kill-"));
    for (const line of commandsOf("docs/rules.md", "keys")) execFileSync("sh", ["-c", line], { cwd: directory });
    const keys = join(directory, "operators.pem");
    key = join(directory, "operator.pem");
    stack = await startStack({ sidecarArgs: ["--operator-keys", keys], controllerArgs: ["--operator-keys", keys] });
    link = await connect(stack);
    const file = join(directory, "segment.yaml");
    await writeFile(file, `apiVersion: serin/v1\nkind: Segment\nname: staff\nusers: [${second}]\n`);
    expect((await stack.serin("apply", "-f", file)).code).toBe(0);
    const example = join(packageRoot(), "docs", "examples", "checkout.yaml");
    expect((await stack.serin("apply", "-f", example)).code).toBe(0);
    await applyRollout(stack, rolloutOf(NAME, heldAt("50%")));
    await waitForLive(link, NAME, hasBegun);
  });
  afterAll(async () => {
    await link.close();
    await stack.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const order = async (...args: string[]): Promise<void> => {
    const { code, error } = await stack.serin(...args, "--sign-with", key);
    expect([code, error]).toEqual([0, ""]);
  };
  /** Envoy asks either sidecar, so several answers in a row. */
  const variantOf = async (user: string): Promise<string> =>
    [...new Set((await askAll(stack, Array(6).fill(user))).map(({ seen }) => seen))].join();
  const until = (user: string, variant: string): Promise<true> =>
    waitFor(async () => ((await variantOf(user)) === variant ? true : undefined), {
      deadlineMs: 10_000,
      what: `${user} to see ${variant}`,
    });

  test("switches one user off, the others stay, and lifting it brings the user back", async () => {
    await until(first, "canary");
    await order("kill", NAME, "--key", first);
    await until(first, "stable");
    expect(await variantOf(second)).toBe("canary");
    await order("kill", NAME, "--key", first, "--lift");
    await until(first, "canary");
  });

  test("switches the users of a segment off, from one rollout and from all, and lifting it brings them back", async () => {
    for (const which of [[NAME], []]) {
      await until(second, "canary");
      await order("kill", ...which, "--segment", "staff");
      await until(second, "stable");
      expect(await variantOf(first)).toBe("canary");
      await order("kill", ...which, "--segment", "staff", "--lift");
    }
    await until(second, "canary");
    const { code, error } = await stack.serin("kill", "--segment", "stuff", "--sign-with", key);
    expect([code, error]).toEqual([2, expect.stringContaining("no segment is named stuff; apply it first by `serin apply -f FILE`")]);
  });

  test("is not obeyed without a known operator's signature", async () => {
    const stranger = join(directory, "stranger.pem");
    await writeFile(stranger, generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));
    const { code, error } = await stack.serin("kill", NAME, "--sign-with", stranger);
    expect([code, error]).toEqual([
      5,
      expect.stringMatching(/obeyed by 0 of 2 sidecars; .* refuses the order: .*, whose key is not known/),
    ]);
    const text = (): Promise<string> => fetch(`${stack.sidecarUrl(0)}/metrics`).then((response) => response.text());
    await waitFor(async () => (/serin_kills_refused_total(\{[^}]*\})? [1-9]/.test(await text()) ? true : undefined), {
      deadlineMs: 10_000,
      what: "the order to be refused",
    });
    expect(await variantOf(first)).toBe("canary");
  });

  test("switches everything off without a controller, also for sidecars that start later; the next controller rolls back", async () => {
    await stack.controller(0).kill();
    await order("abort", NAME, "--emergency", "--reason", "wrong prices");
    await until(first, "stable");
    await stack.sidecar(0).stop();
    await stack.sidecar(1).stop();
    await stack.startSidecar(0);
    await stack.startSidecar(1);
    await until(first, "stable");
    expect((await ask(stack, second)).seen).toBe("stable");
    await stack.startController(0);
    const { plan } = await waitForLive(link, NAME, ({ plan: { phase } }) => phase === "rolledBack");
    expect(plan).toMatchObject({ reason: expect.stringContaining("wrong prices") });
  });

  test("is given as the page on rules says, and taken back", async () => {
    const lines = commandsOf("docs/rules.md", "kill");
    expect((await stack.serin("apply", "-f", join(packageRoot(), "docs", "examples", "segment.yaml"))).code).toBe(0);
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      const args = line.replace("npx serin ", "").replace("operator.pem", key).split(" ");
      expect({ line, ...(await stack.serin(...args)) }).toMatchObject({ line, code: 0, error: "" });
      expect({ line, ...(await stack.serin(...args, "--lift")) }).toMatchObject({ line, code: 0, error: "" });
    }
  });
});
