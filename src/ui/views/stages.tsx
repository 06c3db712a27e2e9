import { duration, share } from "../../told/format.ts";
import type { RolloutEvent } from "../model.ts";

/** The steps before and after the stages, for all but ramps and other strategies, whose phase says it all. */
export function Stages({ event: { rollout, stages } }: { readonly event: RolloutEvent }) {
  if (stages.length === 0) return null;
  const at = placeOf(rollout.plan, stages.length);
  const steps = [
    ...stages.map(({ shareBp, minTimeMs }) => ({ what: share(shareBp), more: `${duration(minTimeMs)} at least` })),
    { what: "100 %", more: "promoted" },
  ];
  return (
    <section>
      <h2>Stages</h2>
      <ol class="stages">
        {steps.map(({ what, more }, index) => (
          <li key={index} class={index < at ? "passed" : index === at ? "now" : ""} aria-current={index === at ? "step" : undefined}>
            <span class="what">{what}</span>
            <span class="faint">
              {more}
              {index < at ? ", passed" : index === at ? ", now" : ""}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Index of the step that it is in; before the first −1, which is also where it is once it went back. */
function placeOf(plan: RolloutEvent["rollout"]["plan"], stages: number): number {
  switch (plan.phase) {
    case "stage":
    case "paused":
      return plan.stage;
    case "gate":
      return placeOf(plan.from, stages);
    case "promoting":
    case "promoted":
      return stages;
    case "handedOver":
      return stages + 1;
    case "queued":
    case "pending":
    case "shadow":
    case "ramp":
    case "holdback":
    case "preview":
    case "trial":
    case "decision":
    case "on":
    case "group":
    case "rollingBack":
    case "rolledBack":
      return -1;
  }
}
