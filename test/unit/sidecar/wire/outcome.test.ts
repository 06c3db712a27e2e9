import { describe, expect, test } from "vitest";
import { NO_ROLLOUT } from "../../../../src/core/decide/decide.ts";
import type { Decision } from "../../../../src/core/decide/types.ts";
import { OutcomeReader, outcomeText } from "../../../../src/sidecar/wire/outcome.ts";

const DECISION: Decision = { ...NO_ROLLOUT, rollout: "checkout", variant: "canary", run: 12, bucket: 4_000_000_000 };

const read = (text: string, also?: string) => new OutcomeReader().read(text, also);

describe("a decision as one text", () => {
  test("has zeros for the bucket, so that it is the same for all who are decided alike", () => {
    expect(outcomeText(DECISION, "new", false)).toBe("00000000:--:12:canary:checkout:new");
  });

  test.each([
    { title: "with a bucket", change: {}, cluster: "new", isSession: false },
    { title: "without one", change: { bucket: undefined }, cluster: "new", isSession: false },
    { title: "in control", change: { variant: "stable", control: true }, cluster: "stable", isSession: false },
    { title: "of a session", change: {}, cluster: "new", isSession: true },
    { title: "for a cluster with any name", change: {}, cluster: "outbound|80|v2:é %\n|shop.svc", isSession: false },
  ])("$title comes back as it was", ({ change, cluster, isSession }) => {
    const decision = { ...DECISION, ...change };
    const text = outcomeText(decision, cluster, isSession).replace("00000000", "ee6b2800");
    const { rollout, variant, run, control, bucket } = decision;
    expect(read(text)).toEqual({ rollout, variant, run, control, bucket, cluster, isSession, also: [] });
  });

  test("without a rollout has neither name nor cluster", () => {
    const text = outcomeText(NO_ROLLOUT, undefined, false);
    expect(read(text)).toMatchObject({ rollout: undefined, cluster: undefined, run: 0, variant: "stable" });
  });

  test("has what was decided of other rollouts beside it", () => {
    expect(read("--------:--:1:stable:a:s", "banner:on:3:c:0000000a").also).toEqual([
      { rollout: "banner", variant: "on", run: 3, control: true, bucket: 10 },
    ]);
  });

  test("is read anew where more are known than rules have, and stays right", () => {
    const reader = new OutcomeReader();
    const runs = [...Array(10_050).keys()];
    expect(runs.map((run) => reader.read(`0000000f:--:${run}:canary:checkout:new`, undefined).run)).toEqual(runs);
  });
});

test.each([
  "",
  "-",
  "0000000g:--:1:canary:checkout:new",
  "0000000f--:1:canary:checkout:new",
  "0000000f:-x:1:canary:checkout:new",
  "0000000f:--:-1:canary:checkout:new",
  "0000000f:--:99999999999999999:canary:checkout:new",
  "0000000f:--:9007199254740993:canary:checkout:new",
  "0000000f:--:1:Canary:checkout:new",
  "0000000f:--:1:canary:check out:new",
  "0000000f:--:1:canary:checkout",
  "0000000f:--:1:canary:checkout:new:more",
  "0000000f:--:1:canary:checkout:%",
])("%j is no outcome that a sidecar writes", (text) => {
  expect(() => read(text)).toThrow(/no sidecar writes the outcome|URI malformed/);
});
