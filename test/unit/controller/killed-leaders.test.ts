import { describe, expect, test } from "vitest";
import { ACTION_NAMES, type Action } from "../../../src/contract/actions.ts";
import { PlanStateSchema } from "../../../src/contract/live.ts";
import { OwnStrategySchema } from "../../../src/contract/strategy.ts";
import { STORIES } from "./killed-stories.ts";
import { Play } from "./play.ts";
import { story } from "./stories.ts";

/** What is done to the whole mesh, or to a rollout from without, is no effect of a strategy. */
const OTHERS: readonly Action[] = ["refused", "segment", "forget", "delete"];

/** Effects that a leader was killed before, and the ways that led there, of all stories. */
const killed = new Set<string>();
const ways = new Set<string>();

/** Whether no story before led there in the same way, as all do to their first step. */
function isNew(way: readonly string[]): boolean {
  const text = way.join("\n");
  return !ways.has(text) && ways.add(text).has(text);
}

describe("a leader that is killed before any effect of a rollout", () => {
  test.each(STORIES)("is succeeded, and $title as without", async ({ play: run }) => {
    const undisturbed = new Play(Number.POSITIVE_INFINITY);
    await run(undisturbed);
    const effects = [...new Set(undisturbed.store.effects)];
    for (const effect of effects.filter((_, at) => isNew(effects.slice(0, at + 1)))) {
      const play = new Play(effect);
      await run(play);
      expect({ effect, terms: play.terms, ...story(play) }).toEqual({ effect, terms: 2, ...story(undisturbed) });
      killed.add(effect);
    }
    expect(effects.filter((effect) => !killed.has(effect))).toEqual([]);
  });
});

describe("the stories of killed leaders", () => {
  test("are of every strategy", () => {
    const isPlayed = (form: (typeof OwnStrategySchema.options)[number]): boolean =>
      STORIES.some(({ strategy }) => form.safeParse(strategy).success);
    expect(OwnStrategySchema.options.filter((form) => !isPlayed(form))).toEqual([]);
  });

  test("kill before each phase is entered, and before each action is told", () => {
    const left = <Name extends string>(names: readonly Name[]): Name[] =>
      names.filter((name) => ![...killed].some((effect) => effect.includes(`: ${name}, run `)));
    expect(left(PlanStateSchema.options.map(({ shape }) => shape.phase.value))).toEqual([]);
    expect(left(ACTION_NAMES)).toEqual(OTHERS);
  });
});
