import { expect, test } from "vitest";
import { plan } from "../../../../src/core/plan/plan.ts";
import { events, SINCE_MS, strategies, strategyStates, who } from "../../../support/plan-inputs.ts";

test("a rollout in groups that is not paused says where it is when it is asked to resume", () => {
  const step = plan(strategies.rolling, strategyStates.secondGroup, { ...events.resume, who }, { nowMs: SINCE_MS });
  expect(step).toMatchObject({ ok: false, refusal: expect.stringContaining("checkout is in group 2 of 3, b") });
});
