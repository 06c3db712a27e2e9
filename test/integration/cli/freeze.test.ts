import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { runWith } from "../../unit/cli/cli-parts.ts";
import { test } from "../controller/world.ts";

test("a freeze is declared, shown on top, and ended; the policy is applied and printed", async ({ world }) => {
  await world.leader("a");
  const run = (...args: string[]) =>
    runWith([...args, "--nats", world.server.url], { nowMs: Date.now, newId: () => `id-${args.join("-").replaceAll(/[^a-z0-9]/g, "")}` });
  const frozen = await run("freeze", "--reason", "incident", "--until", "2h");
  expect([frozen.code, frozen.out]).toEqual([0, expect.stringContaining("freeze: nothing advances: frozen by alice (incident) until ")]);
  expect((await run("status")).out).toMatch(/^frozen by alice \(incident\) until .* UTC: nothing advances/);
  expect((await run("unfreeze")).code).toBe(0);
  expect((await run("status")).out).toMatch(/^controller a leads/);
  expect((await run("freeze", "--until", "soon")).code).toBe(2);

  const directory = await mkdtemp(join(tmpdir(), "sp-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "policy.yaml");
  await writeFile(file, "apiVersion: serin/v1\nkind: Policy\nlimits: { active: 3 }\n");
  expect((await run("apply", "-f", file, "--dry-run")).out).toBe("policy: valid, nothing sent\n");
  expect((await run("get", "policy")).code).toBe(2);
  expect((await run("apply", "-f", file)).out).toBe("policy: apply: the policy is in force\n");
  expect((await run("get", "policy")).out).toBe("apiVersion: serin/v1\nkind: Policy\nlimits:\n  active: 3\n");
});

test("of rollouts that come after one another in one command the first goes first, whatever the order of the file", async ({ world }) => {
  await world.leader("a");
  const directory = await mkdtemp(join(tmpdir(), "sp-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "both.yaml");
  const text = (name: string, more: string) =>
    `apiVersion: serin/v1\nkind: Rollout\nname: ${name}\nmatch: { hosts: [${name}.example] }\nkey: [{ header: x-user-id }]\n` +
    `variants: { stable: { cluster: v1 }, canary: { cluster: v2 } }\nstrategy: { use: fast }\n${more}`;
  await writeFile(file, `${text("cart", "after: [db]\n")}---\n${text("db", "")}`);
  let ids = 0;
  const newId = () => `command-${(ids += 1)}`;
  const { code, out } = await runWith(["apply", "-f", file, "--nats", world.server.url], { nowMs: Date.now, newId });
  expect([code, out.split("\n").map((line) => line.split(":")[0])]).toEqual([0, ["db", "cart", ""]]);
});
