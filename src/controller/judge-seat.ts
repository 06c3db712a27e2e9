import type { OwnNews } from "./checks/own-evidence.ts";
import { canaryShareBp } from "./derive-manifest.ts";
import { type Judging, judgeReports } from "./judging.ts";
import type { Seat } from "./seats.ts";
import type { JudgedUsers } from "./told-users.ts";

interface Known {
  /** Undefined where nobody knows users. */
  readonly users: JudgedUsers | undefined;
  readonly nowMs: number;
  /** What the rollout's own checks have found; asked once. */
  own(): OwnNews | undefined;
}

/**
 * Judges what has arrived. Under a leader that has not heard all sidecars yet the evidence waits for them, but for harm that shows even if
 * all users that failed before were behind the failures.
 */
export function judgeSeat(seat: Seat, { users, nowMs, own }: Known): Judging {
  const { rollout, live, judging, reports } = seat;
  const scene = { rollout, plan: live.plan, shareBp: canaryShareBp(seat), revision: live.revision, ...(users && { users }) };
  if (users?.isOpen !== true) return judgeReports(judging, { ...scene, own: own() }, reports.splice(0), nowMs);
  const doubted = judgeReports(judging, scene, reports, nowMs);
  if (doubted.verdict?.verdict !== "rollback") return judging;
  reports.splice(0);
  return doubted;
}
