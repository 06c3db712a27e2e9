import { expect, onTestFinished, test } from "vitest";
import { startTraffic } from "../../src/demo/traffic.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { readJudge } from "../../src/io/store.ts";
import { applyRollout, connect, HOST, hasBegun, heldAt, rolloutOf, startStack, waitForLive } from "../support/stack.ts";

test("a canary that hangs is rolled back before Envoy gives its first request up, though nothing of it stands in any log", async () => {
  const stack = await startStack();
  onTestFinished(stack.stop);
  const link = await connect(stack);
  onTestFinished(() => link.close());
  await applyRollout(stack, rolloutOf("hanging", heldAt("20%")));
  await waitForLive(link, "hanging", hasBegun);
  // What is not safe is not rescued: Envoy would wait for the canary for 15 s.
  const { port } = stack.envoy;
  const traffic = startTraffic({ port, host: HOST, path: "/", method: "POST", users: 500, perSecond: 100, onRequest: () => undefined });
  onTestFinished(traffic.stop);
  const judged = () => readJudge(link, "hanging");
  await waitFor(async () => ((await judged())?.totals.stable.requests ?? 0) > 600, { deadlineMs: 30_000, what: "stable to be known" });
  const sentMs = Date.now();
  stack.canary.hang(true);
  const back = await waitForLive(link, "hanging", ({ plan }) => plan.phase === "rolledBack" || plan.phase === "rollingBack");
  expect(back.plan).toMatchObject({ reason: expect.stringMatching(/slow p\d\d .* of the canary's requests not ended after 2 s$/) });
  // The plan is written first, then what the judge knows.
  const decided = await waitFor(
    async () => {
      const verdict = (await judged())?.verdict;
      return verdict?.verdict === "rollback" ? verdict : undefined;
    },
    { deadlineMs: 10_000, what: "the judge's record" },
  );
  expect(decided).toMatchObject({ unended: { stable: 0 } });
  expect(back.updatedAtMs - sentMs).toBeGreaterThan(5_000);
  const { out } = await stack.serin("status", "hanging");
  expect(out).toMatch(/canary \d+ requests, 0 failed, \d+ open, \d+ for more than 2 s/);
});
