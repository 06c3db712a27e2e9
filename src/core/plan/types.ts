import type * as z from "zod";
import type { PlanState } from "../../contract/live.ts";
import type { Who } from "../../contract/messages.ts";
import { ERROR_CHECKS, type Verdict, type VerdictRecord } from "../../contract/verdict.ts";

/** Why nothing may advance at the moment; `reason` is for people, and stays the same while the hold does; `now` may change. */
export interface Hold {
  readonly kind: "freeze" | "window" | "dependency" | "group" | "order" | "endpoints";
  readonly reason: string;
  readonly now?: string;
}

/** A person who asks for something, and why. */
interface ByPerson {
  readonly who: Who;
  readonly reason?: string | undefined;
}

/** What people do to a rollout. `override` advances in spite of holds; `variant` is the one of a test that everyone gets, the first when absent. */
export type VerbEvent =
  | (ByPerson & {
      readonly type: "promote";
      readonly full: boolean;
      readonly variant?: string | undefined;
      readonly override?: boolean | undefined;
    })
  | (ByPerson & { readonly type: "pause" | "resume" | "handover" })
  /** `now`: everyone at once, whatever stable can take. */
  | (ByPerson & { readonly type: "abort"; readonly now?: boolean | undefined });

type LastVerdict = Pick<VerdictRecord, "reason" | "canaryAtMs"> & Partial<Pick<VerdictRecord, "verdict">>;

/** What happens to a rollout. */
export type PlanEvent =
  /** Time goes by; `last` is what the judge said last, of whatever run. */
  | { readonly type: "tick"; readonly last?: LastVerdict | null }
  /** A fresh judgement of the current run. */
  | {
      readonly type: "verdict";
      readonly verdict: Verdict;
      readonly safeShareBp: number;
      readonly runSample: number;
      readonly reason: string;
      /** Evidence for harm as odds, and the chance at which it would be called harm: at odds of 1 / alpha. */
      readonly odds: number;
      readonly alpha: number;
      /** Of all the rollout's traffic; absent while it is not known. */
      readonly requestsPerSecond?: number | undefined;
      /** What speaks for harm is not that requests or users fail; they do when absent. */
      readonly isFit?: boolean;
      /** Requests of the canary that do not end; none when absent. */
      readonly hanging?: number;
    }
  /** Known sidecars that have not yet confirmed the current run, and how many are known in all. */
  | {
      readonly type: "receipts";
      readonly missing: readonly string[];
      readonly known?: number;
      /** Since when the leader hears sidecars, Unix milliseconds; for ever when absent. */
      readonly listeningSinceMs?: number;
      readonly requestsPerSecond?: number | undefined;
      /** Groups of the known sidecars by the label that the strategy names, in its order; absent where it names none. */
      readonly groups?: readonly string[] | undefined;
    }
  | VerbEvent;

/** What people do to a whole attempt, which means the same in every phase. */
export type AttemptEvent = ByPerson & ({ readonly type: "retry" } | { readonly type: "undo"; readonly now?: boolean | undefined });

/** What the webhook of a gate says while the rollout waits there. */
export interface AnswerEvent {
  readonly type: "answer";
  readonly verdict: Verdict;
  readonly reason: string;
}

/** All that the machine hears. */
export type PlanInput = PlanEvent | AttemptEvent | AnswerEvent;

/** What the shell must do about it, in order. `serve` is already true in the new state; it tells the share to publish. */
export type PlanEffect =
  | {
      readonly type: "serve";
      readonly run: number;
      readonly shareBp: number;
      readonly off: boolean;
      /** More users get another variant than stable. */
      readonly advances?: true;
    }
  /** The rule rests, or leaves the rule set. */
  | { readonly type: "remove" }
  | { readonly type: "audit"; readonly action: string; readonly reason: string; readonly detail?: z.core.util.JSONType };

/** A step taken, or a verb refused with the reason that the operator reads. */
export type PlanStep =
  | { readonly ok: true; readonly state: PlanState; readonly effects: readonly PlanEffect[] }
  | { readonly ok: false; readonly refusal: string };

/** A judgement as the plan hears it. */
export function verdictEvent(record: VerdictRecord): PlanEvent {
  const { verdict, safeShareBp, runSample, reason, odds, alpha, rate, checks, unended } = record;
  const heard = { verdict, safeShareBp, runSample, reason, odds, alpha, requestsPerSecond: rate };
  return { type: "verdict", ...heard, isFit: isFit(checks), hanging: unended.canary };
}

function isFit(checks: VerdictRecord["checks"]): boolean {
  const suspicious = checks.filter(({ verdict }) => verdict === "rollback" || verdict === "hold");
  return suspicious.length > 0 && !suspicious.some(({ name }) => ERROR_CHECKS.has(name));
}
