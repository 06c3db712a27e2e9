import { describe, expect, test } from "vitest";
import { DecisionMetadataSchema } from "../../../../src/contract/messages.ts";
import { compile } from "../../../../src/core/decide/compile.ts";
import { decide, NO_ROLLOUT } from "../../../../src/core/decide/decide.ts";
import { decisionAnswer, passAnswer } from "../../../../src/sidecar/wire/answer.ts";
import { KIND } from "../../../../src/sidecar/wire/request.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";
import { PROCESSING_RESPONSE, referenceCodec } from "../../../support/reference-codec.ts";

const groupOf = (name: string): object => ({ structValue: { fields: { name: { stringValue: name } } } });

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
    const { bytes, bucketAt } = decisionAnswer({ decision, toggles: [], isSession: false }, rules);
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
    const { requestHeaders, dynamicMetadata } = Object(
      codec.decode(decisionAnswer({ decision: NO_ROLLOUT, toggles: [], isSession: false }, rules).bytes),
    );
    expect(requestHeaders).toEqual({ response: { clearRouteCache: true, headerMutation: {} } });
    expect(dynamicMetadata.fields.serin.structValue.fields).toMatchObject({ variant: { stringValue: "stable" } });
    expect(decisionAnswer({ decision: NO_ROLLOUT, toggles: [], isSession: false }, rules).bucketAt).toBe(-1);
  });
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
