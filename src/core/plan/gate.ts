import type { Gate } from "../../contract/gates.ts";
import type { PlainState, PlanState } from "../../contract/live.ts";
import type { Who } from "../../contract/messages.ts";
import { durationText } from "./deadlines.ts";
import { becauseOf, goBack, goToFull, type In, isOver, move, reasonOr, refuse, type Scene, serve, stay, type Taken } from "./moves.ts";
import { stepIn } from "./phases.ts";
import type { AnswerEvent, PlanEvent, PlanStep } from "./types.ts";

const FULL_BP = 10_000;

/** What a step serves to more users. */
export type Advance = Extract<Taken["effects"][number], { type: "serve" }>;
type Tick = Extract<PlanEvent, { type: "tick" }>;

/** The step's way to more users; undefined where it gives nobody another variant. */
export const advanceOf = ({ effects }: Taken): Advance | undefined =>
  effects.find((effect): effect is Advance => effect.type === "serve" && effect.advances === true);

/** Gates of the plan between a state and where a step leads, in their order. */
export function gatesAhead(state: PlanState, step: Taken, { shareBp }: Advance, { stages, promotionGate }: Scene): Gate[] {
  const isFull = shareBp === FULL_BP;
  const first = "stage" in state ? state.stage : 0;
  const last = "stage" in step.state ? step.state.stage : isFull ? stages.length : 0;
  const gates = [...stages.slice(first, last).map(({ gate }) => gate), ...(isFull ? [promotionGate] : [])];
  return gates.filter((gate) => gate !== undefined);
}

/** Why a gate does not take a person's word; undefined where it does. */
export function objectionTo({ approvers }: Pick<Gate, "approvers">, { name, claimed }: Who, { mustVouch }: Scene): string | undefined {
  if (approvers === undefined) return undefined;
  const others = `its gate takes the word of ${approvers.join(", ")}`;
  if (!approvers.includes(name)) return `${others}, not of ${name}`;
  return mustVouch && claimed ? `${others}, and nothing vouches for ${name}; sign by --sign-with, or use a link` : undefined;
}

/** Asks before it goes on; undefined where the plan has no gate there. */
export function askBefore(state: PlainState, step: Taken, advance: Advance, scene: Scene): Taken | undefined {
  const gates = gatesAhead(state, step, advance, scene);
  if (gates.length === 0 && scene.mode === "act") return undefined;
  const last = gates.at(-1);
  const gate = last === undefined ? "mode" : last === scene.promotionGate ? "promotion" : "stage";
  // Of `mode`: anybody's word, for as long as a pause may last.
  const { approvers, limit, atLimit } = last ?? { limit: scene.deadlines.pausedMs, atLimit: "abort" };
  const asks = { ...(approvers && { approvers }), limitMs: limit, atLimit };
  const { run, firstRun } = state;
  const { action, reason } = auditOf(step);
  // Only steps to plain phases advance.
  const to = { state: step.state as PlainState, shareBp: advance.shareBp, action, reason, atMs: scene.nowMs };
  return move(
    { phase: "gate", run, firstRun, sinceMs: scene.nowMs, gate, asks, from: state, to },
    "gate",
    `asks before it goes on: ${reason}`,
  );
}

/** What the audit says of a step. */
export function auditOf({ effects }: Taken): { action: string; reason: string } {
  const audits = effects.filter((effect) => effect.type === "audit");
  return { action: audits.map(({ action }) => action).join(", "), reason: audits.map(({ reason }) => reason).join("; ") };
}

/** The share stays while the rollout waits for a word. It goes on being judged, and back at once where that asks for it. */
export function inGate(state: In<"gate">, event: PlanEvent | AnswerEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick":
      return onTime(state, event, scene);
    case "receipts":
      return stay(state);
    case "verdict": {
      const step = stepIn(state.from, event, scene);
      const isBack = step.ok && step.state.run !== state.run && advanceOf(step) === undefined;
      return isBack ? step : stay(state);
    }
    case "answer":
      return onAnswer(state, event, scene);
    case "promote":
      return event.full
        ? goToFull(state, becauseOf("promoted by the operator, past the stages left", event), scene)
        : pass(state, becauseOf("passed by the operator", event), scene);
    case "pause":
    case "abort":
      return stepIn(state.from, event, scene);
    case "resume":
      return refuse(state, scene, "nothing is paused; promote passes the gate, abort goes back");
    case "handover":
      return refuse(state, scene, "hand-over follows promotion; promote passes the gate, abort goes back");
  }
}

/** What the gate asked for, now: times that would have begun when it asked begin when it is passed. */
function pass({ to }: In<"gate">, why: string, { nowMs }: Scene): Taken {
  const { state, shareBp, action, reason } = to;
  const times = Object.entries(state).map(([key, value]) => [key, key.endsWith("Ms") && value === to.atMs ? nowMs : value]);
  // The same phase with other times.
  const next = Object.fromEntries(times) as PlainState;
  return serve(next, { shareBp, off: false, advances: true }, { action, reason: `${why}; ${reason}` });
}

function onAnswer(state: In<"gate">, { verdict, reason }: AnswerEvent, scene: Scene): PlanStep {
  const said = reasonOr(reason, verdict);
  switch (verdict) {
    case "advance":
      return pass(state, `passed by its webhook: ${said}`, scene);
    case "rollback":
      return goBack(state, `its gate's webhook says rollback: ${said}`, scene);
    case "hold":
    case "unknown":
      return said === state.said ? stay(state) : stay({ ...state, said });
  }
}

/** The end that the gate declares. On without a word only while the evidence still says so, for a day at most. */
function onTime(state: In<"gate">, { last }: Tick, scene: Scene): PlanStep {
  const { limitMs: limit, atLimit } = state.asks;
  if (!isOver(scene, state.sinceMs, limit)) return stay(state);
  const why = `deadline: nobody passed the gate within ${durationText(limit)}`;
  if (atLimit === "abort") return goBack(state, why, scene);
  if (atLimit === "promote") {
    if (last?.verdict === "advance") return pass(state, `nobody objected within ${durationText(limit)}`, scene);
    if (!isOver(scene, state.sinceMs, limit + scene.deadlines.stageMs)) return stay(state);
  }
  const paused = stepIn(state.from, { type: "pause", who: { name: "the gate", claimed: false }, reason: why }, scene);
  return paused.ok ? paused : goBack(state, why, scene);
}
