import { describe, expect, test } from "vitest";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { judgeApply } from "../../../src/controller/apply-rules.ts";
import type { Governed } from "../../../src/controller/derive-manifest.ts";
import { documentOf, liveOf, planState, rolloutOf } from "./builders.ts";

const standing = (name: string, phase: Parameters<typeof planState>[0], change: Partial<RolloutInput> = {}): Governed => ({
  rollout: rolloutOf(name, change),
  live: liveOf(name, planState(phase)),
});
const changed = documentOf("cart", { salt: "another" });

describe("an apply", () => {
  test.each([
    { title: "of a new name starts", document: documentOf("cart"), all: [standing("shop", "stage")], type: "start" },
    { title: "of the same document changes nothing", document: documentOf("cart"), all: [standing("cart", "stage")], type: "unchanged" },
    {
      title: "of the same document after promotion changes nothing",
      document: documentOf("cart"),
      all: [standing("cart", "promoted")],
      type: "unchanged",
    },
    {
      title: "of the same document after a rollback starts again",
      document: documentOf("cart"),
      all: [standing("cart", "rolledBack")],
      type: "start",
    },
    { title: "of a changed document after the hand-over starts", document: changed, all: [standing("cart", "handedOver")], type: "start" },
    { title: "during the way back is refused", document: documentOf("cart"), all: [standing("cart", "rollingBack")], type: "refused" },
  ] as const)("$title", ({ document, all, type }) => {
    expect(judgeApply(document, "cart", all).type).toBe(type);
  });

  test.each(["pending", "stage", "paused", "promoting"] as const)("of a changed document while %s says to abort first", (phase) => {
    const message = `cart is ${phase} with another document; end that first (serin abort cart), then apply again`;
    expect(judgeApply(changed, "cart", [standing("cart", phase)])).toEqual({ type: "refused", message });
  });

  test("of a changed document after promotion says to hand over first", () => {
    const message = "cart is promoted with another document; end that first (serin handover cart), then apply again";
    expect(judgeApply(changed, "cart", [standing("cart", "promoted")])).toEqual({ type: "refused", message });
  });

  test("that would govern the same requests as another is refused with both names", () => {
    const match = { hosts: ["shop.example"] };
    const message =
      "cart and shop would both govern the same host and path; end shop first, give them different matches, or the same service, so that the later one waits";
    expect(judgeApply(documentOf("cart", { match }), "cart", [standing("shop", "stage", { match })])).toEqual({ type: "refused", message });
  });

  test("may take over the requests of one that has ended", () => {
    const match = { hosts: ["shop.example"] };
    expect(judgeApply(documentOf("cart", { match }), "cart", [standing("shop", "rolledBack", { match })]).type).toBe("start");
  });

  test("reports all faults of a document, with their paths", () => {
    const document = { ...documentOf("cart"), key: [], strategy: { type: "canary", stages: [{ share: "200%" }] } };
    const applied = judgeApply(document, "cart", []);
    expect(applied.type).toBe("invalid");
    expect(applied).toHaveProperty("message", expect.stringMatching(/key: .*\n.*strategy/s));
  });

  test("never takes raw user ids in", () => {
    const targets = [{ name: "staff", when: { users: ["ann@example.org"] }, variant: "canary" as const }];
    const applied = judgeApply(documentOf("cart", { targets }), "cart", []);
    expect(applied).toEqual({ type: "invalid", message: "targets.0.when.users: raw user ids are never sent; let `serin apply` hash them" });
  });

  test("of a document with another name than the command's is invalid", () => {
    expect(judgeApply(documentOf("cart"), "shop", []).type).toBe("invalid");
  });
});
