import { fc } from "@fast-check/vitest";
import type { Hold, PlanInput } from "../../src/core/plan/types.ts";

/** Whose word gates ask for. */
export const APPROVER = "ann";
const FULL_BP = 10_000;

const who = fc.constantFrom({ name: APPROVER, claimed: false }, { name: APPROVER, claimed: true }, { name: "bob", claimed: false });
const reason = fc.constantFrom("", "because");
const verdict = fc.constantFrom("advance" as const, "advance" as const, "hold" as const, "rollback" as const, "unknown" as const);

/** Anything that a rollout may hear. */
export const input: fc.Arbitrary<PlanInput> = fc.oneof(
  fc.record({ type: fc.constant("tick" as const), last: fc.record({ reason, verdict, canaryAtMs: fc.constant(0) }) }),
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("verdict" as const),
      verdict,
      safeShareBp: fc.constantFrom(0, 2_500, FULL_BP, FULL_BP),
      runSample: fc.constantFrom(0, 100_000, 100_000),
      reason,
      odds: fc.constantFrom(0.4, 0.4, 5, 80),
      alpha: fc.constant(0.01),
      isFit: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("receipts" as const),
      missing: fc.constantFrom([], [], ["s1"]),
      groups: fc.constant(["a", "b", "c"]),
    }),
  },
  fc.record({ type: fc.constant("answer" as const), verdict, reason }),
  { weight: 2, arbitrary: fc.record({ type: fc.constant("promote" as const), full: fc.boolean(), override: fc.boolean(), who, reason }) },
  fc.record({ type: fc.constantFrom("pause" as const, "resume" as const, "handover" as const, "retry" as const), who, reason }),
  fc.record({ type: fc.constantFrom("abort" as const, "undo" as const), now: fc.boolean(), who, reason }),
);
/** Time that goes by before it, in milliseconds. */
export const waitMs = fc.constantFrom(0, 1_000, 10_000, 60_000, 600_000, 7_200_000, 90_000_000, 604_800_000);
/** What holds the rollout then. */
export const holds = fc.constantFrom<readonly Hold[]>([], [], [], [{ kind: "freeze", reason: "quarter end" }]);

/** Whether a sidecar has stopped the canary by itself. */
export const isStopped = fc.constantFrom(false, false, false, true);
/** What the canary has cost. */
export const cost = fc.constantFrom(3, 3, 3, 10).map((failedRequests) => ({ failedRequests, failedUsers: 0 }));
