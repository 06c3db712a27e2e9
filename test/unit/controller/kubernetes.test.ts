import { describe, expect, test } from "vitest";
import type { Audit } from "../../../src/contract/messages.ts";
import { eventOf, serviceOf } from "../../../src/controller/kubernetes/events.ts";
import { endpointsOf, sliceOf } from "../../../src/controller/kubernetes/slices.ts";
import { rolloutOf } from "./builders.ts";

/** As JSON has it: what the library's types do not know comes too. */
const said = (endpoints: unknown, service = "cart") =>
  sliceOf(Object({ metadata: { labels: { "kubernetes.io/service-name": service } }, endpoints }));
const pod = (name: string) => ({ kind: "Pod", name, uid: `uid-${name}` });

describe("endpoint slices", () => {
  test("say nothing of a readiness that holds, and leave out what ends", () => {
    const slice = said([
      { addresses: ["10.0.0.1"], targetRef: pod("a") },
      { addresses: ["10.0.0.2"], conditions: { ready: null }, targetRef: pod("b") },
      { addresses: ["10.0.0.3"], conditions: { ready: false }, targetRef: pod("c") },
      { addresses: ["10.0.0.4"], conditions: { ready: false, terminating: true }, targetRef: pod("d") },
      { addresses: ["192.0.2.1"] },
    ]);
    expect(endpointsOf("cart", [slice])).toEqual([
      { id: "uid-a", isReady: true, pod: "a" },
      { id: "uid-b", isReady: true, pod: "b" },
      { id: "uid-c", isReady: false, pod: "c" },
      { id: "192.0.2.1", isReady: true, pod: undefined },
    ]);
  });

  test("count a pod once that stands in two of them, and as ready where both say so", () => {
    const both = [
      said([{ addresses: ["10.0.0.1"], conditions: { ready: false }, targetRef: pod("a") }]),
      said([{ addresses: ["fd00::1"], conditions: { ready: true }, targetRef: pod("a") }]),
    ];
    for (const slices of [both, both.toReversed()])
      expect(endpointsOf("cart", slices)).toEqual([{ id: "uid-a", isReady: false, pod: "a" }]);
  });

  test("of other Services, and without endpoints, count for nothing", () => {
    expect(endpointsOf("cart", [said(null), said([{ addresses: ["10.0.0.1"] }], "pay")])).toEqual([]);
  });
});

const line: Audit = {
  format: 1,
  id: "7-1-2",
  rollout: "cart",
  action: "rollback",
  reason: "errors",
  run: 4,
  shareBp: 0,
  who: { name: "controller a", claimed: false },
  atMs: 1_795_668_510_326,
};

describe("an Event", () => {
  const regarding = serviceOf(rolloutOf("cart", { kubernetes: { namespace: "shop", services: { stable: "cart", canary: "cart-new" } } }));

  test("is about the canary's Service, else about stable's", () => {
    expect(regarding).toEqual({ apiVersion: "v1", kind: "Service", namespace: "shop", name: "cart-new" });
    const stable = rolloutOf("cart", { kubernetes: { namespace: "shop", services: { stable: "cart" } } });
    expect(serviceOf(stable)).toMatchObject({ name: "cart" });
    expect(serviceOf(rolloutOf("cart"))).toBeUndefined();
  });

  test("has a name that follows from the line of the audit, and all that the API asks for", () => {
    expect(regarding && JSON.parse(JSON.stringify(eventOf(line, regarding, "a")))).toEqual({
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: expect.stringMatching(/^cart\.[0-9a-f]{20}$/), namespace: "shop" },
      eventTime: "2026-11-26T04:48:30.326000Z",
      reportingController: "serin/controller",
      reportingInstance: "a",
      action: "Rollback",
      reason: "Rollback",
      regarding,
      note: "cart: rolling back at 0 %: errors (controller a)",
      type: "Warning",
    });
  });

  test("keeps within the length of a note, in bytes", () => {
    const event = regarding && eventOf({ ...line, action: "stage", reason: "ä".repeat(2_000) }, regarding, "a");
    const { note, type }: { note?: string; type?: string } = Object(event);
    expect([Buffer.byteLength(note ?? "") <= 1_024, note?.endsWith("ä…"), type]).toEqual([true, true, "Normal"]);
  });
});
