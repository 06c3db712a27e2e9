import type { BlastRadius } from "../../contract/blast-radius.ts";
import type { FailingUsers } from "../../contract/failing-users.ts";
import type { Totals } from "../../contract/live.ts";

/** What a canary has cost in this attempt. */
export interface Cost {
  readonly failedRequests: number;
  readonly failedUsers: number;
}

type Sums = Readonly<Record<"stable" | "canary", Pick<Totals, "requests" | "failed">>>;

/** What the canary cost beyond what as many requests to stable would have cost at the same time; whole requests and users. */
export function costOf({ stable, canary }: Sums, users?: FailingUsers): Cost {
  const perRequest = stable.requests === 0 ? 0 : canary.requests / stable.requests;
  const beyond = (onCanary: number, onStable: number): number => Math.max(0, Math.floor(onCanary - onStable * perRequest));
  return {
    failedRequests: beyond(canary.failed, stable.failed),
    failedUsers: users === undefined ? 0 : beyond(users.canary.newlyFailing, users.stable.newlyFailing),
  };
}

const NAMES = { failedRequests: "failed requests", failedUsers: "newly failing users" } as const;
const KINDS = ["failedRequests", "failedUsers"] as const;

/** Spent and allowed, for people; nothing of what has no limit. */
export const costTexts = (allowed: BlastRadius, cost: Cost): string[] =>
  KINDS.flatMap((kind) => (allowed[kind] === undefined ? [] : [`${cost[kind]} of ${allowed[kind]} ${NAMES[kind]}`]));

/** Why a rollout goes back for what it cost; undefined while something is left of all that it may. */
export function spentText(allowed: BlastRadius, cost: Cost): string | undefined {
  const isSpent = KINDS.some((kind) => cost[kind] >= (allowed[kind] ?? Number.POSITIVE_INFINITY));
  return isSpent ? `its blast radius is spent: ${costTexts(allowed, cost).join(", ")}` : undefined;
}
