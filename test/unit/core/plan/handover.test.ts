import { fc, test as prop } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { HandoverSchema } from "../../../../src/contract/handover.ts";
import { lacking } from "../../../../src/core/plan/handover.ts";
import { plan } from "../../../../src/core/plan/plan.ts";
import { events, rollout, SINCE_MS, states, summary } from "../../../support/plan-inputs.ts";

const answer = {
  headers: { "x-version": "2.0" },
  json: { version: "2.0", ready: true, spec: { replicas: 3, containers: [{ image: "shop:2.0" }] }, status: { updated: 3, ready: 2 } },
};

describe("an answer of stable", () => {
  test.each([
    { shows: [{ header: "X-Version", equals: "2.0" }], lacks: undefined },
    { shows: [{ json: "version", equals: "2.0" }], lacks: undefined },
    { shows: [{ json: "ready", equals: "true" }], lacks: undefined },
    { shows: [{ json: "spec.containers[0].image", equals: "shop:2.0" }], lacks: undefined },
    { shows: [{ json: "spec.replicas", sameAs: "status.updated" }], lacks: undefined },
    { shows: [{ header: "x-version", equals: "2.1" }], lacks: "x-version is 2.0, and not 2.1" },
    { shows: [{ header: "x-build", equals: "7" }], lacks: "x-build is missing" },
    { shows: [{ json: "spec.containers[1].image", equals: "shop:2.0" }], lacks: "spec.containers[1].image is missing" },
    { shows: [{ json: "version.major", equals: "2" }], lacks: "version.major is missing" },
    { shows: [{ json: "spec", equals: "2" }], lacks: "spec is missing" },
    { shows: [{ json: "toString", equals: "2" }], lacks: "toString is missing" },
    { shows: [{ json: "spec.replicas", sameAs: "status.ready" }], lacks: "spec.replicas is 3, and status.ready is 2" },
    { shows: [{ json: "spec.replicas", sameAs: "status.gone" }], lacks: "spec.replicas is 3, and status.gone is missing" },
    {
      shows: [
        { json: "version", equals: "2.0" },
        { json: "ready", equals: "false" },
      ],
      lacks: "ready is true, and not false",
    },
  ])("asked for $shows lacks $lacks", ({ shows, lacks }) => {
    expect(lacking(shows, answer)).toBe(lacks);
  });

  test("that is no JSON shows no value of it", () => {
    expect(lacking([{ json: "version", equals: "2.0" }], { headers: {}, json: undefined })).toBe("version is missing");
    expect(lacking([{ json: "version", equals: "2.0" }], { headers: {}, json: null })).toBe("version is missing");
  });
});

prop.prop([fc.jsonValue(), fc.constantFrom("a", "a.b", "a[0]", "length")])("never fails on whatever is answered", (json, path) => {
  expect(["string", "undefined"]).toContain(typeof lacking([{ json: path, equals: "x" }], { headers: {}, json }));
});

test("a rollout says how long its hand-over may take before it is overdue", () => {
  const soon = { ...rollout, handover: HandoverSchema.parse({ within: "1h" }) };
  const at = (ms: number) => summary(plan(soon, states.promoted, events.tick, { nowMs: SINCE_MS + ms }));
  expect([at(3_599_999), at(3_600_000)]).toEqual(["promoted, run 7", "promoted, run 7; overdue"]);
});

test.each([
  ["spec..image", "not a path; write keys and places in lists, like spec.containers[0].image"],
  ["", "not a path; write keys and places in lists, like spec.containers[0].image"],
])("a path %j is refused", (json, message) => {
  const when = { http: { url: "http://stable/version", shows: [{ json, equals: "1" }] } };
  expect(JSON.stringify(HandoverSchema.safeParse({ when }).error?.issues)).toContain(message);
});
