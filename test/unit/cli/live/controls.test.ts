import { describe, expect, test } from "vitest";
import { type Controls, keysText, press, questionText } from "../../../../src/cli/live/controls.ts";
import { keysIn } from "../../../../src/cli/live/keys.ts";

const around = {
  names: ["cart", "checkout", "search"],
  hasList: true,
  phaseOf: (rollout: string) => (rollout === "cart" ? ("paused" as const) : ("stage" as const)),
};
const inList: Controls = { shown: undefined, chosen: "cart", asked: undefined };

/** Types all of it; what the last key led to. */
function typed(sent: string, from: Controls = inList, where = around): ReturnType<typeof press> {
  let pressed: ReturnType<typeof press> = { controls: from };
  for (const key of keysIn(sent)) pressed = press(pressed.controls, key, where);
  return pressed;
}

describe("in the list", () => {
  test.each([
    { title: "down chooses the next", sent: "\u001b[B", chosen: "checkout" },
    { title: "down ends at the last", sent: "\u001b[B\u001b[B\u001b[B\u001b[B", chosen: "search" },
    { title: "up ends at the first", sent: "\u001b[A", chosen: "cart" },
  ])("$title", ({ sent, chosen }) => {
    expect(typed(sent).controls.chosen).toBe(chosen);
  });

  test("Enter shows the chosen one, and Escape the list again", () => {
    expect(typed("\u001b[B\r").controls.shown).toBe("checkout");
    expect(typed("\u001b[B\r\u001b").controls).toMatchObject({ shown: undefined, chosen: "checkout" });
  });

  test("nothing can be asked of the leader", () => {
    expect(typed("n").controls.asked).toBeUndefined();
    expect(typed("a\r")).not.toHaveProperty("does");
  });
});

describe("beside a rollout", () => {
  const beside: Controls = { ...inList, shown: "checkout" };

  test.each([
    { key: "n", verb: "promote" },
    { key: "p", verb: "pause" },
    { key: "a", verb: "abort" },
  ])("$key asks before it does: $verb", ({ key, verb }) => {
    const { controls, does } = typed(key, beside);
    expect(controls.asked).toEqual({ verb, rollout: "checkout", typed: "" });
    expect(does).toBeUndefined();
  });

  test("p resumes one that is paused", () => {
    expect(typed("p", { ...inList, shown: "cart" }).controls.asked?.verb).toBe("resume");
  });

  test("Enter does what was asked, with the reason as it was corrected", () => {
    const { does, controls } = typed("a wrong prize\u007f\u007fces \r", beside);
    expect(does).toEqual({ verb: "abort", rollout: "checkout", reason: "wrong prices" });
    expect(controls.asked).toBeUndefined();
  });

  test("Escape does nothing, and the keys mean what they did before", () => {
    const { does, controls } = typed("a oh no\u001b", beside);
    expect(does).toBeUndefined();
    expect(controls).toEqual(beside);
  });

  test("the keys of the question are text: q is no way out", () => {
    expect(typed("aq", beside)).toMatchObject({ controls: { asked: { typed: "q" } } });
    expect(typed("aq", beside).quits).toBeUndefined();
  });

  test("q leaves, and so does an interrupt, also out of a question", () => {
    expect(typed("q", beside).quits).toBe(true);
    expect(typed("a\u0003", beside).quits).toBe(true);
  });

  test("there is no list to go back to where only this one was asked for", () => {
    expect(typed("\u001b", beside, { ...around, hasList: false }).controls.shown).toBe("checkout");
    expect(keysText(beside, { hasList: false })).not.toContain("Esc");
    expect(keysText(beside, around)).toContain("Esc shows all");
  });

  test("a question says what would happen", () => {
    expect(questionText({ verb: "abort", rollout: "checkout", typed: "" })).toBe("abort: checkout sends everyone back to stable.");
  });
});
