import type { RolloutPicture } from "../contract/picture.ts";
import { costTexts } from "../core/plan/blast-radius.ts";
import { duration } from "./format.ts";
import { silenceText } from "./phase-text.ts";
import { stragglerLines } from "./straggler-text.ts";

/** What is to be said of a rollout beside its phase and its evidence: what it waits for, who is missing, what it has cost. */
export function standingLines(rollout: RolloutPicture, nowMs: number): string[] {
  const { template, next, stops, plan, judge, blastRadius } = rollout;
  const stopped = stops.map(({ sidecar, atMs }) => `${sidecar} (for ${duration(nowMs - atMs)})`).join(", ");
  const silence = silenceText(plan, judge?.verdict ?? null, nowMs);
  return [
    ...(template === null ? [] : [`strategy from template ${template}`]),
    ...waitLines(rollout, nowMs),
    ...(next === null ? [] : [next]),
    ...stragglerLines(rollout, nowMs),
    ...(stopped === "" ? [] : [`the canary is stopped by sidecars that saw it fail: ${stopped}`]),
    ...(silence === null ? [] : [silence]),
    ...(blastRadius === null ? [] : [`blast radius: ${costTexts(blastRadius.allowed, blastRadius.spent).join(", ")}`]),
  ];
}

const MODE_TEXT = { observe: "evidence is told and moves nothing", advise: "asks before it goes on" } as const;

const askedText = ({ verb, reason = "" }: NonNullable<RolloutPicture["asked"]>): string => (reason === "" ? verb : `${verb}: ${reason}`);

/** What a rollout waits for, beside its evidence, and what was asked of it. */
function waitLines({ plan, seen, waiting, mode, asked }: RolloutPicture, nowMs: number): string[] {
  const { held } = { held: undefined, ...plan };
  const { would } = plan;
  return [
    ...(mode === undefined || mode === "act" ? [] : [`mode ${mode}: ${MODE_TEXT[mode]}`]),
    ...(would === undefined ? [] : [`would have done ${duration(nowMs - would.atMs)} ago: ${would.action}: ${would.reason}`]),
    ...(asked === undefined ? [] : [`last asked ${duration(nowMs - asked.atMs)} ago by ${asked.who.name}: ${askedText(asked)}`]),
    ...(held === undefined
      ? []
      : [`held for ${duration(nowMs - held.sinceMs)} by ${held.reason}${held.now === undefined ? "" : `: ${held.now}`}`]),
    ...(seen === null ? [] : [`no hand-over yet: ${seen}`]),
    ...(waiting === null ? [] : [`a newer version by ${waiting.who} waits for its end, for ${duration(nowMs - waiting.sinceMs)}`]),
  ];
}
