import { describe, expect, test } from "vitest";
import { DecisionMetadataSchema } from "../../../../src/contract/messages.ts";
import { compile } from "../../../../src/core/decide/compile.ts";
import { decide } from "../../../../src/core/decide/decide.ts";
import { answer } from "../../../../src/sidecar/ext-proc.ts";
import { entryFacts } from "../../../../src/sidecar/wire/access-log.ts";
import { requestFacts } from "../../../../src/sidecar/wire/request.ts";
import { decisionAnswer, passAnswer } from "../../../../src/sidecar/wire/response.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

const raw = (key: string, value: string) => ({ key, rawValue: Buffer.from(value) });
const request = (headers: readonly object[], source?: string) => ({
  request: "requestHeaders",
  requestHeaders: { headers: { headers } },
  ...(source === undefined
    ? {}
    : { attributes: { "envoy.filters.http.ext_proc": { fields: { "source.address": { stringValue: source } } } } }),
});

describe("request headers of Envoy", () => {
  test("are read raw, or as text from older Envoys", () => {
    const facts = requestFacts(request([raw(":authority", "Shop.example:443"), raw(":path", "/a?b"), { key: "x-user-id", value: "ü1" }]));
    expect([facts.host, facts.path, facts.headers("x-user-id")]).toEqual(["Shop.example:443", "/a?b", ["ü1"]]);
  });

  test("keep the values of a repeated header in order", () => {
    expect(requestFacts(request([raw("x-a", "1"), raw("x-b", "2"), raw("x-a", "3")])).headers("x-a")).toEqual(["1", "3"]);
  });

  test.each([
    ["10.1.2.3:4711", "10.1.2.3"],
    ["[2001:db8::1]:80", "2001:db8::1"],
    ["", undefined],
    [undefined, undefined],
  ])("with the source %j, the client's address is %j", (source, address) => {
    expect(requestFacts(request([], source)).clientAddress).toBe(address);
  });
});

describe("the answer to request headers", () => {
  const rules = compile(
    ruleSetOf({
      checkout: ruleOf(
        { variants: { stable: { cluster: "stable", tags: {} }, canary: { cluster: "canary", tags: { "x-serin-variant": "canary" } } } },
        { shareBp: 10_000, run: 4 },
      ),
    }),
  );

  test("sets tags and metadata, clears the route and always holds a header mutation", () => {
    const reply = decisionAnswer(decide(rules, factsOf({ headers: [["x-user-id", "u1"]] })), rules);
    expect(reply.requestHeaders?.response).toEqual({
      status: "CONTINUE",
      clearRouteCache: true,
      headerMutation: {
        setHeaders: [{ header: { key: "x-serin-variant", rawValue: Buffer.from("canary") }, appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" }],
      },
    });
    const fields = reply.dynamicMetadata?.fields?.["serin"]?.structValue?.fields;
    expect(fields).toMatchObject({
      variant: { stringValue: "canary" },
      rollout: { stringValue: "checkout" },
      run: { stringValue: "4" },
      reason: { stringValue: "share" },
    });
    expect(fields?.["revision"]).toEqual({ stringValue: "1700000000.7" });
    const texts = Object.entries(fields ?? {}).flatMap(([name, value]) =>
      value.stringValue === undefined ? [] : [[name, value.stringValue]],
    );
    expect(DecisionMetadataSchema.parse(Object.fromEntries(texts))).toEqual(Object.fromEntries(texts));
    const groups = fields?.["priority_groups"]?.listValue?.values?.map((value) => value.structValue?.fields?.["name"]?.stringValue);
    expect(groups).toEqual(["canary", "stable"]);
  });

  test("a surprise while deciding means stable, is told, and is no error", () => {
    const surprises: string[] = [];
    const broken = {
      ...rules,
      get anyHost(): never {
        throw new Error("broken");
      },
    };
    const reply = answer(request([]), broken, { decided: () => undefined, surprise: (kind) => surprises.push(kind) });
    expect(reply?.dynamicMetadata?.fields?.["serin"]?.structValue?.fields?.["variant"]).toEqual({ stringValue: "stable" });
    expect(surprises).toEqual(["decide"]);
  });
});

test.each(["requestHeaders", "responseHeaders", "requestBody", "responseBody", "requestTrailers", "responseTrailers"])(
  "a message of the kind %s has an answer of its kind",
  (kind) => {
    expect(Object.keys(passAnswer({ request: kind }) ?? {})).toEqual([kind]);
  },
);

test("an access log entry gives the decision back with what came of it", () => {
  const fields = {
    variant: { stringValue: "canary" },
    rollout: { stringValue: "checkout" },
    run: { stringValue: "3" },
    control: { stringValue: "false" },
  };
  const entry = {
    commonProperties: {
      duration: { seconds: 1, nanos: 500_000_000 },
      timeToFirstUpstreamTxByte: { nanos: 2_000_000 },
      timeToLastUpstreamRxByte: { nanos: 9_000_000 },
      upstreamCluster: "canary",
      upstreamRemoteAddress: {},
      upstreamRequestAttemptCount: 1,
      responseFlags: { upstreamRemoteReset: true, noRouteFound: false },
      metadata: { filterMetadata: { serin: { fields } } },
    },
    response: { responseCode: { value: 503 }, responseTrailers: { "grpc-status": "14" } },
  };
  expect(entryFacts(entry)).toEqual({
    decided: { variant: "canary", rollout: "checkout", run: 3, control: false },
    upstreamCluster: "canary",
    upstreamReached: true,
    attempts: 1,
    responseCode: 503,
    grpcStatus: 14,
    flags: ["upstreamRemoteReset"],
    upstreamMs: 7,
    durationMs: 1_500,
  });
});
