import { expect, test } from "vitest";
import type { Command } from "../../../src/contract/messages.ts";
import { withTemplate } from "../../../src/contract/templates.ts";
import { TemplateCommands } from "../../../src/controller/template-commands.ts";
import { createLog } from "../../../src/io/log.ts";
import { decodePlan } from "../../../src/io/store.ts";
import { documentOf } from "./builders.ts";
import { MemoryStore } from "./memory-store.ts";

const template = (share: string) => ({
  apiVersion: "serin/v1",
  kind: "Template",
  name: "team",
  strategy: { type: "canary", stages: [{ share }] },
});
const commandOf = (document: unknown, change: Partial<Command> = {}): Command => ({
  format: 1,
  id: "command-1",
  verb: "apply",
  document,
  who: { name: "ann", claimed: true },
  ...change,
});

function commands(): TemplateCommands {
  const { templates } = new MemoryStore().ports(100);
  const clock = { nowMs: () => 5, monotonicMs: () => 5 };
  const log = createLog({ name: "test", level: "silent" });
  return new TemplateCommands({ templates, clock, log });
}

test("a template is kept, and found by the rollouts that use it as it was applied last", async () => {
  const known = commands();
  expect((await known.apply(commandOf(template("5%"), { dryRun: true }))).message).toBe("template team is valid");
  expect((await known.apply(commandOf(template("5%"), { reason: "new team" }))).result).toBe("done");
  expect((await known.apply(commandOf(template("5%")))).result).toBe("unchanged");
  expect((await known.apply(commandOf(template("7%")))).result).toBe("done");
  const document = documentOf("cart", { strategy: { use: "team" } });
  const found = await known.lookUp(document);
  expect(found).toEqual({ template: { name: "team", strategy: template("7%").strategy } });
  const plan = { format: 1, document, ...found, who: { name: "ann", claimed: true }, atMs: 5, commandId: "command-1" };
  const stored = { subject: "serin.plans.cart", sequence: 7, data: new TextEncoder().encode(JSON.stringify(plan)) };
  expect(decodePlan(stored)).toMatchObject({ document, template: { name: "team" }, rollout: { strategy: { stages: [{ share: 700 }] } } });
});

test("a preset needs none, and a name that nobody applied is refused with those that there are", async () => {
  const known = commands();
  expect(await known.lookUp(documentOf("cart", { strategy: { use: "fast" } }))).toEqual({ template: undefined });
  const unknown = documentOf("cart", { strategy: { use: "team" } });
  expect(await known.lookUp(unknown)).toMatchObject({ refusal: expect.stringMatching(/there is no template team, none was applied yet/) });
  await known.apply(commandOf({ ...template("5%"), name: "other" }));
  expect(await known.lookUp(unknown)).toMatchObject({ refusal: expect.stringMatching(/known are other; apply it first/) });
});

test("what is no template is refused with all that is wrong", async () => {
  const reply = await commands().apply(commandOf({ ...template("5"), name: "fast" }));
  expect(reply.result).toBe("invalid");
  expect(reply.message).toMatch(/name: the name of a preset; give the template a name of its own\nstrategy/);
});

test("a document without a template stays as it is", () => {
  const document = documentOf("cart");
  expect(withTemplate(document, undefined)).toBe(document);
});
