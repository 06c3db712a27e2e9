import { ACTIONS, isAction } from "../contract/actions.ts";
import type { Audit } from "../contract/messages.ts";
import type { Receiver, TemplateFact } from "../contract/notifications.ts";
import { figure, odds, ratio, share } from "./format.ts";
import { verdictIn } from "./history.ts";
import { whoText } from "./who-text.ts";

/** What people are told of one change; every fact is a text, empty where there is nothing to say. */
export type Notice = Readonly<Record<TemplateFact, string>>;

/** Checks that a message names, those that say the most. */
const MOST_CHECKS = 3;

/** Whether a receiver asks for a line of the audit. What happens to the whole mesh is of no rollout, and so of all. */
export const isWanted = ({ events, rollouts }: Pick<Receiver, "events" | "rollouts">, { action, rollout }: Audit): boolean =>
  events.some((event) => event === action) &&
  (rollout === undefined ||
    rollouts.some((wanted) => (wanted.endsWith("*") ? rollout.startsWith(wanted.slice(0, -1)) : wanted === rollout)));

/** A line of the audit as a message. `publicUrl` has no slash at its end; without it there is no link. */
export function noticeOf(line: Audit, publicUrl: string | undefined): Notice {
  const { id, action, rollout, shareBp, reason = "", atMs, who } = line;
  const stage = stageOf(line);
  const facts = {
    id,
    event: action,
    rollout: rollout ?? "",
    stage,
    share: shareBp === undefined ? "" : share(shareBp),
    reason,
    evidence: evidenceOf(line),
    who: whoText(who),
    link: publicUrl === undefined ? "" : `${publicUrl}/v1/${rollout === undefined ? "status" : `rollouts/${rollout}`}`,
    time: new Date(atMs).toISOString(),
  };
  return { ...facts, text: sentence(facts, line) };
}

/** Where it stood when it went back, else where it stands. */
function stageOf({ action, phase = "", stage, of, before }: Audit): string {
  const place = action === "rollback" && before !== undefined ? before : { phase, stage, of };
  return place.stage === undefined ? place.phase : `stage ${place.stage} of ${place.of ?? place.stage}`;
}

function sentence(facts: Omit<Notice, "text">, { before, action }: Audit): string {
  const words = isAction(action) ? ACTIONS[action].words : action;
  const from = action === "rollback" && before !== undefined ? ` from ${facts.stage} at ${share(before.shareBp)}` : "";
  const at = from === "" && facts.share !== "" ? ` at ${facts.share}` : "";
  return `${facts.rollout === "" ? "all rollouts" : facts.rollout}: ${words}${from}${at}${facts.reason === "" ? "" : `: ${facts.reason}`} (${facts.who})`;
}

/** The verdict with the checks that weigh most, on both sides. */
function evidenceOf({ detail }: Audit): string {
  const record = verdictIn(detail);
  if (record === undefined) return "";
  const checks = record.checks
    .filter(({ stable, canary }) => stable !== null && canary !== null)
    .toSorted((a, b) => b.odds - a.odds)
    .slice(0, MOST_CHECKS)
    .map(({ name, stable, canary, canarySample, isRatio }) => {
      const text = isRatio === false ? figure : ratio;
      return `${name}: stable ${text(stable)}, canary ${text(canary)} of ${canarySample}`;
    });
  return [`${record.verdict}, odds of harm ${odds(record.odds)}`, ...checks].join("; ");
}
