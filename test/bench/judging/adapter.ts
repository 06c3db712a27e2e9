/** The project's own judge and ramp as a policy of the benchmark. It judges nothing itself, and reads no truth. */
import { RolloutSchema } from "../../../src/contract/rollout.ts";
import { startOf } from "../../../src/core/judge/ticks.ts";
import { type Replay, startReplay, stepReplay } from "../../../src/core/replay/replay.ts";
import type { Policy } from "./suite/policy.ts";

const ROLLOUT = RolloutSchema.parse({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name: "benchmark",
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "stable" }, canary: { cluster: "canary" } },
  strategy: { type: "canary", ramp: "auto" },
});

const FULL_BP = 10_000;

/** A rollout with nothing but defaults. */
export function createPolicy(): Policy {
  let replay: Replay | undefined;
  return {
    start({ tickS, bounds, history }) {
      replay = startReplay(ROLLOUT, startOf({ tickS, bounds: [...bounds], history }));
      return replay.shareBp / FULL_BP;
    },
    step(tick) {
      if (replay === undefined) throw new Error("a tick before the start; call start first");
      const { replay: next, action } = stepReplay(replay, tick);
      replay = next;
      const why = next.record?.reason ?? "";
      return action === "weight" ? { action, weight: next.shareBp / FULL_BP, why } : { action, why };
    },
  };
}
