import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DecisionMetadataSchema } from "../../../src/contract/messages.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { plainVariant } from "../../support/plain-bucketing.ts";
import { decidedFor, requestHeaders, startTestSidecar, type TestSidecar, variantOf } from "../../support/sidecar.ts";

let sidecar: TestSidecar;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "serin-rules-"));
  const file = join(directory, "rules.json");
  const rollout = ruleOf({
    match: { hosts: ["shop.example"], paths: [{ prefix: "/" }] },
    key: [{ header: "x-user-id" }, { clientAddress: true }],
  });
  await writeFile(file, JSON.stringify(ruleSetOf({ checkout: rollout })));
  sidecar = await startTestSidecar({ source: { file } });
});
afterEach(async () => {
  await sidecar.stop();
  await rm(directory, { recursive: true });
});

const metadataOf = (answer: unknown): Record<string, unknown> => {
  const fields: Record<string, { stringValue?: string; numberValue?: number }> =
    Object(answer).dynamicMetadata.fields.serin.structValue.fields;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value.stringValue ?? value.numberValue ?? value]));
};

test("metadata has the form of the contract, also where no rollout governs", async () => {
  const [decided] = await sidecar.process(requestHeaders({ "x-user-id": "u1" }));
  expect(DecisionMetadataSchema.parse(metadataOf(decided))).toMatchObject({
    variant: plainVariant("checkout", "u1", 5_000),
    rollout: "checkout",
    run: "1",
    revision: "1700000000.7",
    reason: "share",
    control: expect.stringMatching(/^(true|false)$/),
    bucket: expect.any(Number),
  });
  const [undecided] = await sidecar.process(requestHeaders({ ":authority": "other.example" }));
  expect(DecisionMetadataSchema.parse(metadataOf(undecided))).toEqual({
    variant: "stable",
    reason: "no rollout",
    revision: "1700000000.7",
    outcome: "--------:--:0:stable::",
  });
  expect(Object(undecided).requestHeaders.response).toMatchObject({ clearRouteCache: true, headerMutation: {} });
});

test("every user gets the variant that a second, plain bucketing gives", async () => {
  const users = Array.from({ length: 60 }, (_, index) => `user-${index}`);
  const seen = [];
  for (const user of users) seen.push(await decidedFor(sidecar, user));
  expect(seen).toEqual(users.map((user) => plainVariant("checkout", user, 5_000)));
});

test.each(["192.0.2.7", "2001:db8::7"])(
  "the client address %s is a key without its port, so that a new connection changes nothing",
  async (address) => {
    const shown = address.includes(":") ? `[${address}]` : address;
    for (const port of [1_024, 50_000]) {
      const fields = { "source.address": { stringValue: `${shown}:${port}` } };
      const request = { ...requestHeaders({}), attributes: { "envoy.filters.http.ext_proc": { fields } } };
      expect(variantOf((await sidecar.process(request))[0])).toBe(plainVariant("checkout", address, 5_000));
    }
  },
);

test("a request without any key is answered too, by stable", async () => {
  const [answer] = await sidecar.process(requestHeaders({}));
  expect(metadataOf(answer)).toMatchObject({ variant: "stable", reason: "no key" });
});

test("a stream that Envoy cuts costs nothing, and the next ones are answered", async () => {
  for (let count = 0; count < 50; count += 1) await sidecar.cut(requestHeaders({ "x-user-id": `cut-${count}` }));
  expect(await decidedFor(sidecar, "user-1")).toBe(plainVariant("checkout", "user-1", 5_000));
  expect(await sidecar.metrics()).not.toContain("serin_surprises_total{");
});

test("an access log entry that no sidecar can have caused is counted, and the others count on", async () => {
  const fields = { variant: { stringValue: "Purple!" }, rollout: { stringValue: "checkout" }, run: { stringValue: "1" } };
  const odd = { commonProperties: { metadata: { filterMetadata: { serin: { fields } } } } };
  const undecided = {
    commonProperties: { upstreamCluster: "stable", upstreamRequestAttemptCount: 1 },
    response: { responseCode: { value: 200 } },
  };
  await sidecar.log(odd, undecided, {
    ...undecided,
    commonProperties: { ...undecided.commonProperties, accessLogType: "DownstreamPeriodic" },
  });
  const text = await sidecar.metrics();
  expect(text).toContain('serin_surprises_total{kind="access log entry"} 1');
  expect(text).toContain("serin_failed_open_total 1");
});

test("who watches its health hears that it drains", async () => {
  const heard = sidecar.watchHealth();
  await heard.until("SERVING");
  const stopping = sidecar.beginStop();
  expect(await heard.until("NOT_SERVING")).toEqual(["SERVING", "NOT_SERVING"]);
  await stopping;
});
