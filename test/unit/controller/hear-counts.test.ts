import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { createCountsEar } from "../../../src/controller/hear-counts.ts";
import type { Incoming } from "../../../src/controller/incoming.ts";
import { createLog } from "../../../src/io/log.ts";
import { createFakeLink } from "../../support/fake-link.ts";

const textOf = (data: Uint8Array): string => new TextDecoder().decode(data);

/** A term that can be begun, and what it was told by an ear that is open. */
async function newTerm(prometheus?: string) {
  const { link, push } = createFakeLink();
  const heard: string[] = [];
  const take = ({ data }: Incoming): void => {
    if (textOf(data) === "bad") throw new Error("unreadable");
    heard.push(textOf(data));
  };
  const term = { onEvidence: take, onFailingUsers: take, mix: { hear: (data: Uint8Array) => void heard.push(textOf(data)) } };
  let begin: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const begun = new Promise<void>((resolve, reject) => {
    begin = resolve;
    fail = reject;
  });
  const log = createLog({ name: "test", level: "silent" });
  const ear = createCountsEar({ told: link, log, settings: { prometheus, prometheusEveryMs: 1_000 } });
  await ear.open();
  return { heard, push, begin, fail, elected: () => ear.tell(term, begun), stop: () => ear.close() };
}

describe("what sidecars count", () => {
  test("before a term is elected and has begun waits for that, and comes in its order", async () => {
    const { heard, push, begin, elected } = await newTerm();
    push(SUBJECTS.allFailing, "who failed");
    elected();
    push(SUBJECTS.allEvidence, "bad");
    push(SUBJECTS.allEvidence, "how many failed");
    push(SUBJECTS.allMix, "who was there");
    await turn();
    expect(heard).toEqual([]);
    begin();
    push(SUBJECTS.allEvidence, "more");
    await turn();
    expect(heard).toEqual(["who failed", "how many failed", "who was there", "more"]);
  });

  test("is nothing to a term that could not begin, or is over", async () => {
    const failed = await newTerm();
    failed.elected();
    failed.push(SUBJECTS.allEvidence, "how many failed");
    failed.fail(new Error("no NATS"));
    const over = await newTerm();
    over.elected();
    over.begin();
    over.stop();
    over.push(SUBJECTS.allEvidence, "how many failed");
    await turn();
    expect([failed.heard, over.heard]).toEqual([[], []]);
  });

  test("is no evidence where Prometheus is the source", async () => {
    const { heard, push, begin, elected } = await newTerm("http://unused");
    elected();
    begin();
    push(SUBJECTS.allEvidence, "how many failed");
    push(SUBJECTS.allFailing, "who failed");
    await turn();
    expect(heard).toEqual(["who failed"]);
  });
});
