import { expect, test } from "vitest";
import { type Confirmations, confirmationText, confirmed, isObeyedByAll } from "../../../src/cli/confirmations.ts";
import type { HeardOrder, Receipt } from "../../../src/contract/messages.ts";
import { createFakeLink } from "../../support/fake-link.ts";

const id = "0011223344556677";
const obeyed: HeardOrder = { id, isObeyed: true };
const refused: HeardOrder = { id, isObeyed: false, problem: "it is signed by 00aa, whose key is not known here" };

/** Gives an order to sidecars that answer it; `known` are those that a controller wrote down. */
function give(known: readonly string[] | undefined, answers: Readonly<Record<string, HeardOrder | "silent">>): Promise<Confirmations> {
  const fake = createFakeLink();
  const sidecars = Object.fromEntries((known ?? []).map((sidecar) => [sidecar, { firstSeenMs: 1, startedAtMs: 1 }]));
  if (known !== undefined) fake.stored.set("serin.state.fleet", JSON.stringify({ format: 1, sidecars }));
  return confirmed(fake.link, () => {
    for (const [sidecar, answer] of Object.entries(answers)) {
      const common = { format: 1, sidecar, epoch: 0, revision: 0, sinceMs: 1, atMs: 1, startedAtMs: 1, state: "ok", rejected: 0 } as const;
      const receipt: Receipt = { ...common, ...(answer === "silent" ? {} : { orders: [answer] }) };
      fake.push("serin.receipt.*", JSON.stringify(receipt));
    }
    return Promise.resolve(id);
  });
}

test.each<{ title: string; known: string[] | undefined; answers: Record<string, HeardOrder | "silent">; isDone: boolean; text: string }>([
  { title: "all obey", known: ["a", "b"], answers: { a: obeyed, b: obeyed }, isDone: true, text: "obeyed by 2 of 2 sidecars" },
  { title: "no controller ever ran", known: undefined, answers: { a: obeyed }, isDone: true, text: "obeyed by 1 of 1 sidecar" },
  {
    title: "one refuses",
    known: ["a", "b"],
    answers: { a: obeyed, b: refused },
    isDone: false,
    text: "obeyed by 1 of 2 sidecars; b refuses the order: it is signed by 00aa, whose key is not known here",
  },
  {
    title: "one is silent and one speaks of other things",
    known: ["a", "b", "c"],
    answers: { a: obeyed, c: "silent" },
    isDone: false,
    text: "obeyed by 1 of 3 sidecars; b, c did not answer within 2 s (`serin forget ID` if gone for good)",
  },
  {
    title: "nobody is known",
    known: undefined,
    answers: {},
    isDone: false,
    text: "sent; nobody has confirmed it: no sidecar is known or was heard, look at serin_kills of each sidecar's metrics",
  },
])("an order is confirmed by what sidecars tell: $title", async ({ known, answers, isDone, text }) => {
  const found = await give(known, answers);
  expect([isObeyedByAll(found), confirmationText(found)]).toEqual([isDone, text]);
});
