import { describe, expect, test } from "vitest";
import { DecisionMetadataSchema } from "../../../../src/contract/messages.ts";
import { compile } from "../../../../src/core/decide/compile.ts";
import { decide, NO_ROLLOUT } from "../../../../src/core/decide/decide.ts";
import { decisionAnswer, passAnswer } from "../../../../src/sidecar/wire/answer.ts";
import { KIND } from "../../../../src/sidecar/wire/request.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";
import { PROCESSING_RESPONSE, referenceCodec } from "../../../support/reference-codec.ts";

const groupOf = (name: string): object => ({ structValue: { fields: { name: { stringValue: name } } } });

const PLAIN = { isSession: false, toggles: [], baggage: undefined };

const codec = referenceCodec(PROCESSING_RESPONSE);

describe("the answer to request headers", () => {
  const rules = compile(
    ruleSetOf({
      checkout: ruleOf(
        { variants: { stable: { cluster: "old", tags: {} }, canary: { cluster: "new", tags: { "x-serin-variant": "canary" } } } },
        { shareBp: 10_000, run: 4 },
      ),
    }),
  );

  test("sets tags and metadata, clears the route, holds a header mutation, and leaves room for the bucket", () => {
    const decision = decide(rules, factsOf({ headers: [["x-user-id", "u1"]] }));
    const { bytes, bucketAt } = decisionAnswer({ ...PLAIN, decision }, rules);
    bytes.writeDoubleLE(decision.bucket ?? Number.NaN, bucketAt);
    const { requestHeaders, dynamicMetadata } = Object(codec.decode(bytes));
    expect(requestHeaders.response).toEqual({
      clearRouteCache: true,
      headerMutation: {
        setHeaders: [{ header: { key: "x-serin-variant", rawValue: Buffer.from("canary") }, appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" }],
      },
    });
    const { priority_groups: groups, ...fields } = dynamicMetadata.fields.serin.structValue.fields;
    const values: unknown = Object.fromEntries(
      Object.entries<{ stringValue?: string; numberValue?: number }>(fields).map(([name, value]) => [
        name,
        value.stringValue ?? value.numberValue,
      ]),
    );
    expect(DecisionMetadataSchema.parse(values)).toEqual({
      variant: "canary",
      rollout: "checkout",
      run: "4",
      revision: "1700000000.7",
      reason: "share",
      control: "false",
      cluster: "new",
      bucket: decision.bucket,
    });
    expect(groups.listValue.values).toMatchObject([groupOf("new"), groupOf("old")]);
  });

  test("where no rollout governs has an empty header mutation, without which Envoy would keep the old route", () => {
    const none = decisionAnswer({ ...PLAIN, decision: NO_ROLLOUT }, rules);
    const { requestHeaders, dynamicMetadata } = Object(codec.decode(none.bytes));
    expect(requestHeaders).toEqual({ response: { clearRouteCache: true, headerMutation: {} } });
    expect(dynamicMetadata.fields.serin.structValue.fields).toMatchObject({ variant: { stringValue: "stable" } });
    expect([none.bucketAt, none.alsoAt]).toEqual([-1, -1]);
  });
});

describe("the baggage of an answer", () => {
  const rules = compile(ruleSetOf({}));
  const mutationOf = (baggage: string | undefined): unknown => {
    const { bytes } = decisionAnswer({ ...PLAIN, decision: NO_ROLLOUT, baggage }, rules);
    return Object(codec.decode(bytes)).requestHeaders.response.headerMutation;
  };

  test("is set in place of all others", () => {
    const header = { key: "baggage", rawValue: Buffer.from("a=b") };
    expect(mutationOf("a=b")).toEqual({ setHeaders: [{ header, appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" }] });
  });

  test("is taken away, or left as it is", () => {
    expect(mutationOf("")).toEqual({ removeHeaders: ["baggage"] });
    expect(mutationOf(undefined)).toEqual({});
  });
});

test.each([
  { user: "user-1", method: "GET" },
  { user: "user-1", method: "POST" },
])("an answer names the shadow where $method is copied, and says in any case whether it is", ({ user, method }) => {
  const mirror = { cluster: "shadow", shareBp: 10_000, methods: ["GET"] };
  const set = compile(ruleSetOf({ catalogue: ruleOf({ mirror }) }));
  const decision = decide(set, factsOf({ method, headers: [["x-user-id", user]] }));
  const { requestHeaders, dynamicMetadata } = Object(codec.decode(decisionAnswer({ ...PLAIN, decision }, set).bytes));
  const isCopied = method === "GET";
  const header = { key: "x-serin-mirror", rawValue: Buffer.from("shadow") };
  expect(requestHeaders.response.headerMutation).toEqual(
    isCopied ? { setHeaders: [{ header, appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" }] } : {},
  );
  expect(dynamicMetadata.fields.serin.structValue.fields.mirrored).toMatchObject({ stringValue: String(isCopied) });
});

test.each(Object.entries(KIND).filter(([, kind]) => kind !== KIND.none))(
  "a message of the kind %s has an answer of its kind",
  (name, kind) => {
    const { response } = codec.decode(passAnswer(kind) ?? Buffer.alloc(0));
    expect(response).toBe(name);
  },
);

test("a message of no kind that this version knows has no answer", () => {
  expect(passAnswer(KIND.none)).toBeUndefined();
});
