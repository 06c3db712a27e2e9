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

/** What a rollout waits for, beside its evidence. */
function waitLines({ plan, seen, waiting }: RolloutPicture, nowMs: number): string[] {
  const { held } = { held: undefined, ...plan };
  return [
    ...(held === undefined ? [] : [`held for ${duration(nowMs - held.sinceMs)} by ${held.reason}`]),
    ...(seen === null ? [] : [`no hand-over yet: ${seen}`]),
    ...(waiting === null ? [] : [`a newer version by ${waiting.who} waits for its end, for ${duration(nowMs - waiting.sinceMs)}`]),
  ];
}
