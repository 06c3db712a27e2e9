import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { courseOf } from "../../src/contract/course.ts";
import { type PlanState, PlanStateSchema, servedPhase } from "../../src/contract/live.ts";
import type { Rollout } from "../../src/contract/rollout.ts";
import { DEADLINES } from "../../src/core/plan/deadlines.ts";
import { type Moment, plan } from "../../src/core/plan/plan.ts";
import { startPlan } from "../../src/core/plan/start.ts";
import type { Hold, PlanInput, PlanStep } from "../../src/core/plan/types.ts";
import { APPROVER, cost, holds, input, isStopped, waitMs } from "../support/plan-happenings.ts";
import { rampRollout, rampStates } from "../support/plan-inputs.ts";
import { inRetreat, known } from "../support/plan-rollouts.ts";

const FULL_BP = 10_000;

/** What the test itself knows of the rollout: what is served, and what stands against more. */
interface Model {
  readonly rollout: Rollout;
  holds: readonly Hold[];
  nowMs: number;
  isStopped: boolean;
  /** How often evidence led from the ramp to the holdback since a person spoke last. */
  heldBack: number;
  cost: Readonly<{ failedRequests: number; failedUsers: number }>;
  served: Readonly<{ run: number; shareBp: number; off: boolean }>;
}

/** The machine, with what its shell keeps: the state, and the answers to commands by their ids. */
interface Real {
  state: PlanState;
  readonly answered: Map<string, PlanStep>;
}

type Sent = Readonly<{ input: PlanInput; id: string }>;

const isVerb = ({ type }: PlanInput): boolean => !["tick", "verdict", "receipts", "answer"].includes(type);
const isEnd = ({ phase }: PlanState): boolean => phase === "rolledBack" || phase === "handedOver";
const isBack = ({ phase }: PlanState): boolean => phase === "rollingBack" || phase === "rolledBack";
const leftIn = (state: PlanState) => (state.phase === "rollingBack" ? state.left : undefined);

/** As the shell delivers: a command once by its id, a verdict only of the run in force. */
function deliver(real: Real, { input, id }: Sent, { model, ofRun }: { model: Model; ofRun: number }): PlanStep {
  const earlier = real.answered.get(id);
  if (earlier !== undefined) return { ok: true, state: real.state, effects: [] };
  if ((input.type === "verdict" || input.type === "answer") && ofRun !== real.state.run)
    return { ok: true, state: real.state, effects: [] };
  const { nowMs, holds: held, cost, isStopped, served } = model;
  const moment: Moment = { nowMs, holds: held, mustVouch: true, cost, isStopped, shareBp: served.shareBp };
  const step = plan(model.rollout, real.state, input, moment);
  if (isVerb(input)) real.answered.set(id, step);
  if (step.ok) real.state = step.state;
  return step;
}

const servesIn = (step: PlanStep) => (step.ok ? step.effects.filter((effect) => effect.type === "serve") : []);

/** Whether somebody, or evidence, may give more users another variant by this. */
function hasAuthority({ input }: Sent, before: PlanState, { rollout: { mode, promotion }, holds }: Model): boolean {
  if (input.type === "promote") {
    const isApprover = input.who.name === APPROVER && !input.who.claimed;
    const asks = before.phase === "gate" && before.asks.approvers !== undefined;
    const asksAll = input.full && promotion?.gate.approvers !== undefined;
    return (holds.length === 0 || input.override === true) && (isApprover || !(asks || asksAll));
  }
  if (holds.length > 0) return before.phase === "pending" && before.atOnce === true;
  const atGate = before.phase === "gate";
  switch (input.type) {
    case "verdict":
      return mode === "act" && !atGate && input.verdict !== "rollback";
    case "receipts":
      return mode === "act" && before.phase === "pending";
    case "answer":
      return atGate && input.verdict === "advance";
    case "tick":
      return atGate ? before.asks.atLimit === "promote" && input.last?.verdict === "advance" : mode === "act" && before.phase === "preview";
    case "pause":
    case "resume":
    case "abort":
    case "handover":
    case "retry":
    case "undo":
      return false;
  }
}

/** The largest share that the plan names for a state, in basis points. */
function plannedBp(standing: PlanState, { strategy }: Rollout): number {
  const state = servedPhase(standing);
  const { stages, rolling, toggle } = courseOf(strategy);
  if (state.phase === "stage") return Number(stages[state.stage]?.share);
  if (state.phase === "group") return rolling.share;
  if (state.phase === "on") return toggle.share;
  if (state.phase === "ramp") return state.shareBp;
  if (state.phase === "rollingBack") return state.left?.shareBp ?? 0;
  return ["pending", "preview", "shadow", "queued"].includes(state.phase) || ("from" in state && state.from === "shadow") || isBack(state)
    ? 0
    : FULL_BP;
}

/** Whether users are harmed, or a person says that nobody waits for stable. */
function isUrgent({ input }: Sent, before: PlanState, { rollout: { blastRadius }, isStopped, cost }: Model): boolean {
  const isSpent = cost.failedRequests >= (blastRadius?.failedRequests ?? Number.POSITIVE_INFINITY);
  const isHarm = input.type === "verdict" && input.verdict === "rollback" && input.isFit !== true;
  const isNow = (input.type === "abort" || input.type === "undo") && (input.now === true || leftIn(before) !== undefined);
  return isStopped || isSpent || isHarm || isNow;
}

/** What stands beside an event. */
interface Around extends Pick<Model, "holds" | "isStopped" | "cost"> {
  readonly waitMs: number;
}

/** Whatever happens is sent twice: who crashes after the first write hears it again. */
class Happens implements fc.Command<Model, Real> {
  readonly #sent: Sent;
  readonly #around: Around;

  constructor(sent: Sent, around: Around) {
    this.#sent = sent;
    this.#around = around;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Real): void {
    const { waitMs, ...around } = this.#around;
    model.nowMs += waitMs;
    Object.assign(model, around);
    const before = real.state;
    const step = deliver(real, this.#sent, { model, ofRun: before.run });
    this.#checkStep(before, step, model);
    const after = real.state;
    model.served = servesIn(step).at(-1) ?? model.served;
    expect([model.served.run, model.served.off]).toEqual([after.run, isBack(after) && leftIn(after) === undefined]);
    expect(model.served.shareBp).toBeLessThanOrEqual(plannedBp(after, model.rollout));
    expect(PlanStateSchema.parse(JSON.parse(JSON.stringify(after)))).toEqual(after);

    // Another tick may find a deadline that was not looked at while something held; nothing else is ever done twice.
    const again = deliver(real, this.#sent, { model, ofRun: before.run });
    const isTick = this.#sent.input.type === "tick";
    expect(servesIn(again).filter(() => !(isTick && isBack(real.state)))).toEqual([]);
    model.served = servesIn(again).at(-1) ?? model.served;
    expect(isTick || servedPhase(real.state).phase === servedPhase(after).phase).toBe(true);
  }

  #checkStep(before: PlanState, step: PlanStep, model: Model): void {
    this.#checkRetreat(before, step, model);
    this.#checkReturns(before, step, model);
    const advances = servesIn(step).some(({ advances: isAdvance }) => isAdvance === true);
    expect(advances && !hasAuthority(this.#sent, before, model)).toBe(false);
    const isRollback = this.#sent.input.type === "verdict" && this.#sent.input.verdict === "rollback";
    expect(isRollback && advances).toBe(false);
    expect(isVerb(this.#sent.input) || step.ok).toBe(true);
  }

  /** Doubt in the holdback and proof in the ramp do not follow each other for ever. */
  #checkReturns(before: PlanState, step: PlanStep, model: Model): void {
    const isThere = step.ok && servedPhase(step.state).phase === "holdback";
    if (isVerb(this.#sent.input)) model.heldBack = 0;
    else if (isThere && servedPhase(before).phase === "ramp") model.heldBack += 1;
    const { ramp } = courseOf(model.rollout.strategy);
    expect(model.heldBack).toBeLessThanOrEqual(1 + (ramp?.holdback.again ?? 0));
  }

  /** Stable gets no more than it can take, and has its time between, in doubt too; nothing holds the way back. */
  #checkRetreat(before: PlanState, step: PlanStep, model: Model): void {
    const { retreat = { step: FULL_BP, every: 0 } } = model.rollout;
    const serve = servesIn(step).find(({ shareBp, off }) => off || shareBp < model.served.shareBp);
    const fell = serve === undefined ? 0 : model.served.shareBp - serve.shareBp;
    const isStep = leftIn(before) !== undefined || (before.phase === "ramp" && step.ok && step.state.phase === "ramp");
    const sinceMs = isStep && serve !== undefined && "changedAtMs" in before ? Number(before.changedAtMs) : 0;
    const isGentle = fell <= retreat.step && model.nowMs - sinceMs >= retreat.every;
    expect(isGentle || isUrgent(this.#sent, before, model)).toBe(true);
    expect(serve?.advances).toBe(undefined);
  }

  toString(): string {
    const { waitMs, holds: held } = this.#around;
    return `${JSON.stringify(this.#sent.input)} after ${waitMs} ms${held.length === 0 ? "" : ", held"}`;
  }
}

const happens = fc
  .record({ input, id: fc.nat({ max: 200 }), around: fc.record({ waitMs, holds, isStopped, cost }) })
  .map((each) => new Happens({ input: each.input, id: `command-${each.id}` }, each.around));

const begin = (known: Rollout) => ({
  model: {
    rollout: known,
    holds: [],
    isStopped: false,
    heldBack: 0,
    cost: { failedRequests: 0, failedUsers: 0 },
    nowMs: 1_000_000,
    served: { run: 3, shareBp: 0, off: false },
  } as Model,
  real: { state: startPlan(1_000_000, 3).state, answered: new Map() } as Real,
});

describe("the machine, under any sequence of events, each of which comes twice", () => {
  const stories = fc.commands([happens], { maxCommands: 60 });

  test.prop([fc.constantFrom(...known), stories])(
    "advances only by evidence or authority, serves no more than planned, and does nothing twice",
    (each, story) => {
      fc.modelRun(() => begin(each), story);
    },
  );

  test.prop([stories])("takes users from a holdback as stable can take them", (story) => {
    const { model } = begin(inRetreat(rampRollout));
    const served = { run: 7, shareBp: 9_500, off: false };
    fc.modelRun(() => ({ model: { ...model, served }, real: { state: rampStates.holdback, answered: new Map() } }), story);
  });

  test.prop([fc.constantFrom(...known), stories])("can be aborted in every state that is no end, whatever holds it", (each, story) => {
    const { model, real } = begin(each);
    fc.modelRun(() => ({ model, real }), story);
    const moment = { nowMs: model.nowMs, shareBp: model.served.shareBp, holds: [{ kind: "freeze", reason: "quarter end" }] } as const;
    const step = plan(each, real.state, { type: "abort", who: { name: "carol", claimed: true } }, moment);
    expect(isEnd(real.state) || (step.ok && isBack(step.state))).toBe(true);
  });

  test.prop([fc.constantFrom(...known), stories])("left alone it ends, or is called overdue", (each, story) => {
    const { model, real } = begin(each);
    fc.modelRun(() => ({ model, real }), story);
    const longMs = Math.max(31 * 86_400_000, ...Object.values(DEADLINES).map((ms) => ms + 60_000));
    let { state } = real;
    for (let ticks = 1; ticks <= 15; ticks += 1) {
      const step = plan(each, state, { type: "tick" }, { shareBp: model.served.shareBp, nowMs: model.nowMs + ticks * longMs });
      if (step.ok) state = step.state;
    }
    expect(isEnd(state) || ("overdue" in state && state.overdue)).toBe(true);
  });
});
