import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Audit } from "../../../src/contract/messages.ts";
import { type Notifications, TEMPLATE_FACTS } from "../../../src/contract/notifications.ts";
import { PolicySchema } from "../../../src/contract/policy.ts";
import { systemClock } from "../../../src/io/clock.ts";
import { readDocuments } from "../../../src/io/documents.ts";
import { createLog } from "../../../src/io/log.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { openTokens } from "../../../src/io/tokens.ts";
import { noticeOf } from "../../../src/told/notice.ts";
import { bodyFor } from "../../../src/told/notice-bodies.ts";
import { blocksOf } from "../../support/doc-blocks.ts";

const page = (name: string): string => readFileSync(join(packageRoot(), "docs", name), "utf8");

const policies = blocksOf(page("notifications.md"), "yaml").flatMap((text) => readDocuments(text, "notifications.md").policies);
const receivers: Notifications = policies.flatMap((policy) => PolicySchema.parse(policy).notifications ?? []);

/** A rollback that the evidence decided. */
const line: Audit = {
  format: 1,
  id: "7-1795668510326-12",
  atMs: 1_795_668_510_326,
  rollout: "checkout",
  action: "rollback",
  who: { name: "controller a", claimed: false },
  reason: "errors: 3.20 % on the canary",
  run: 4,
  shareBp: 0,
  attempt: 1,
  phase: "rollingBack",
  before: { phase: "stage", stage: 2, of: 4, shareBp: 500 },
  detail: {
    verdict: "rollback",
    reason: "errors: 3.20 % on the canary",
    proven: "",
    odds: 340,
    alpha: 0.01,
    safeShareBp: 0,
    checks: [
      {
        name: "errors",
        verdict: "rollback",
        weight: 0.5,
        stable: 0.004,
        canary: 0.032,
        difference: 0.028,
        lower: 0.01,
        upper: null,
        threshold: 0.005,
        odds: 340,
        dispersion: 1,
        stableSample: 9_000,
        canarySample: 900,
      },
    ],
    unended: { stable: 0, canary: 0 },
    atMs: 1_795_668_510_300,
    sinceMs: 0,
    run: 3,
    runSample: 900,
    inputs: "",
  },
};
const notice = noticeOf(line, "https://serin.example");

test("the examples of receivers are ones that a policy may hold", () => {
  expect(receivers.map(({ name }) => name)).toEqual(["deploys", "team", "pager"]);
});

test("the example of a CloudEvent is what is sent, but for the verdict's record", () => {
  const [hook] = receivers;
  if (hook === undefined) throw new Error("no receiver");
  const { data, ...event } = JSON.parse(bodyFor(hook, notice, line).body);
  const { verdict, ...facts } = data;
  expect({ ...event, data: facts }).toEqual(JSON.parse(blocksOf(page("notifications.md"), "json")[0] ?? ""));
  expect(verdict).toEqual(line.detail);
});

test("the example of a template becomes JSON, whatever a reason holds", () => {
  const pager = receivers.find(({ name }) => name === "pager");
  if (pager === undefined) throw new Error("no receiver");
  const nasty = { ...notice, reason: 'a "quote"\n{{who}} \\' };
  expect(JSON.parse(bodyFor(pager, nasty, line).body)).toMatchObject({ dedup_key: "checkout", details: { reason: nasty.reason } });
});

test("the page names every fact of a template", () => {
  expect(TEMPLATE_FACTS.filter((fact) => !page("notifications.md").includes(`\`{{${fact}}}\``))).toEqual([]);
});

test("the example of a file of tokens is one", async () => {
  const text = blocksOf(page("api.md"), "text")[0] ?? "";
  const directory = mkdtempSync(join(tmpdir(), "serin-docs-"));
  writeFileSync(join(directory, "tokens"), text);
  const tokens = await openTokens(join(directory, "tokens"), { log: createLog({ name: "test", level: "silent" }), clock: systemClock });
  rmSync(directory, { recursive: true });
  expect(await tokens.find("nobody's")).toBeUndefined();
  expect(text.trim().split("\n").length).toBe(4);
});
