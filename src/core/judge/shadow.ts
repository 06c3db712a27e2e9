import type { VerdictRecord } from "../../contract/verdict.ts";
import { countOf } from "./slow.ts";
import type { JudgeState } from "./state.ts";

/** A shadow of whose times nothing is told, or too little to judge them by, is not known to be as fast as what it copies: it does not pass. */
export function knowingTimes(record: VerdictRecord, { stable, canary }: Pick<JudgeState, "stable" | "canary">): VerdictRecord {
  if (record.verdict !== "advance") return record;
  if (Math.min(countOf(stable.latency), countOf(canary.latency)) === 0) {
    const reason = "Envoy tells how the shadow answers and not how fast; take stats_config from envoy/envoy.yaml";
    return { ...record, verdict: "unknown", safeShareBp: 0, reason };
  }
  const isJudged = record.checks.every(({ name, canary: slow }) => !name.startsWith("slow ") || slow !== null);
  return isJudged ? record : { ...record, verdict: "hold", safeShareBp: 0, reason: "too few times of the shadow to judge how fast it is" };
}
