import type { LiveState, PlanState } from "../contract/live.ts";
import type { Rollout } from "../contract/rollout.ts";
import type { VariantReport } from "../contract/variant-report.ts";
import { variantReport } from "../core/judge/variant-report.ts";
import { reportLine } from "../told/report-text.ts";
import type { Judging } from "./judging.ts";
import type { Change } from "./live-rules.ts";

interface Tested {
  readonly rollout: Rollout;
  readonly live: LiveState;
  readonly judging: Pick<Judging, "variants" | "verdict">;
}

const isOver = (before: PlanState, after: PlanState): boolean => before.phase === "trial" && after.phase !== "trial";

/** A step with the report of the test that it ends, however that is; any other as it is. */
export function withReport(seat: Tested, change: Change): Change {
  if (!isOver(seat.live.plan, change.state)) return change;
  const report = reportOf(seat);
  const detail = JSON.parse(JSON.stringify(report));
  return { ...change, effects: [...change.effects, { type: "audit", action: "report", reason: reportLine(report), detail }] };
}

const reportOf = ({ rollout, judging: { variants, verdict } }: Tested): VariantReport =>
  variantReport({ rollout, variants, checks: verdict?.checks ?? [], isFinal: true });
