import type { RecordedTick } from "../../contract/ticks.ts";
import type { VerdictRecord } from "../../contract/verdict.ts";
import { EvidenceBatchSchema, JudgePolicySchema } from "../judge/batch-schema.ts";
import { judge } from "../judge/judge.ts";
import { type JudgeState, JudgeStateSchema } from "../judge/state.ts";
import type { JudgePolicy } from "../judge/types.ts";

/** How far judging was repeated. */
export interface Repeated {
  readonly term: number;
  readonly sequence: number;
  /** Undefined where the next batch cannot be judged: one before it is not there. */
  readonly known: Readonly<{ state: JudgeState; policy: JudgePolicy }> | undefined;
}

/**
 * What became of one recorded batch: `again` is one counted before, or of a leader who was succeeded; `unknown` cannot be judged, because
 * one before it is missing, or was written by another version of the judge.
 */
export type RepeatOutcome =
  | { readonly type: "again" }
  | { readonly type: "unknown" }
  | { readonly type: "judged"; readonly record: VerdictRecord; readonly isEqual: boolean };

/** Before the first. */
export const NOTHING_REPEATED: Repeated = { term: 0, sequence: 0, known: undefined };

/** Judges a recorded batch once more, and compares verdict and inputs with what was recorded; `missing` are those left out before it. */
export function repeat(before: Repeated, tick: RecordedTick): Readonly<{ after: Repeated; missing: number; outcome: RepeatOutcome }> {
  const { term, sequence } = tick;
  if (term < before.term || (term === before.term && sequence <= before.sequence))
    return { after: before, missing: 0, outcome: { type: "again" } };
  const missing = sequence - 1 - (term === before.term ? before.sequence : 0);
  const given = givenTo(tick, missing > 0 || term !== before.term ? undefined : before.known);
  if (given === undefined) return { after: { term, sequence, known: undefined }, missing, outcome: { type: "unknown" } };
  const { state, record } = judge(given.policy, given.state, given.batch);
  const isEqual = record.verdict === tick.verdict && record.inputs === tick.inputs;
  return { after: { term, sequence, known: { state, policy: given.policy } }, missing, outcome: { type: "judged", record, isEqual } };
}

/** What the judge was given; undefined where that is not known whole. */
function givenTo(tick: RecordedTick, known: Repeated["known"]) {
  const batch = EvidenceBatchSchema.safeParse(tick.batch);
  const state = JudgeStateSchema.safeParse(tick.state ?? known?.state);
  const policy = JudgePolicySchema.safeParse(tick.policy ?? known?.policy);
  return batch.success && state.success && policy.success ? { batch: batch.data, state: state.data, policy: policy.data } : undefined;
}
