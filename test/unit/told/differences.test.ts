import { expect, test } from "vitest";
import { differences, differenceText } from "../../../src/told/differences.ts";

const before = { name: "cart", stages: [{ share: "5%" }, { share: "50%" }], group: "eu", key: [{ header: "a" }] };

test.each([
  { title: "a value", after: { ...before, stages: [{ share: "10%" }, { share: "50%" }] }, lines: ["~ stages[0].share: 5% → 10%"] },
  { title: "a new entry", after: { ...before, stages: [...before.stages, { share: "75%" }] }, lines: ['+ stages[2]: {"share":"75%"}'] },
  {
    title: "an entry that goes",
    after: { ...before, stages: before.stages.slice(1) },
    lines: ["~ stages[0].share: 5% → 50%", '- stages[1]: {"share":"50%"}'],
  },
  { title: "a key that goes", after: { ...before, group: undefined }, lines: ["- group: eu"] },
  { title: "another kind of value", after: { ...before, key: "auto" }, lines: ['~ key: [{"header":"a"}] → auto'] },
  { title: "nothing", after: structuredClone(before), lines: [] },
])("$title that differs is told by its place", ({ after, lines }) => {
  expect(differences(before, after).map(differenceText)).toEqual(lines);
});
