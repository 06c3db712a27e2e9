import { describe, expect, onTestFinished, test } from "vitest";
import type { FeedbackReply, HashedFeedback } from "../../../../src/contract/feedback.ts";
import { type FeedbackPorts, feedbackRoute } from "../../../../src/controller/checks/feedback-http.ts";
import { hashKey } from "../../../../src/core/decide/bucket.ts";
import { startHttp } from "../../../../src/io/http.ts";
import { rolloutOf } from "../builders.ts";

interface Route {
  readonly sent: HashedFeedback[];
  /** Moves the clock. */
  wait(ms: number): void;
  post(body?: unknown, init?: RequestInit): Promise<Response>;
}

/** The route on a port, with time that the test moves; `reply` is the leader's, an error where none answers. */
async function route(reply: FeedbackReply | Error = { result: "counted", message: "counted" }, isConnected = true): Promise<Route> {
  const sent: HashedFeedback[] = [];
  let nowMs = 0;
  const ports: FeedbackPorts = {
    rollout: async (name) => (name === "cart" ? rolloutOf("cart") : undefined),
    async send(feedback) {
      sent.push(feedback);
      if (reply instanceof Error) throw reply;
      return reply;
    },
  };
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const feedback = feedbackRoute(["first-token", "second-token"], clock, () => (isConnected ? ports : undefined));
  const server = await startHttp(
    { address: "127.0.0.1:0", what: "HTTP", flag: "--http" },
    { metrics: () => undefined, readiness: () => ({ isReady: true, body: {} }), routes: { "/v1/feedback": feedback } },
  );
  onTestFinished(() => server.stop());
  return {
    sent,
    wait: (ms) => {
      nowMs += ms;
    },
    post: (body = event, init = {}) =>
      fetch(`${server.url}/v1/feedback`, {
        method: "POST",
        headers: { authorization: "Bearer second-token" },
        body: JSON.stringify(body),
        ...init,
      }),
  };
}

const event = { rollout: "cart", key: "alice", kind: "complaint" };

describe("feedback by HTTP", () => {
  test("goes on with its key hashed, and is answered as the leader says", async () => {
    const { post, sent } = await route();
    const response = await post();
    expect([response.status, await response.json()]).toEqual([202, { result: "counted", message: "counted" }]);
    expect(sent).toMatchObject([{ rollout: "cart", kind: "complaint", user: { salt: "cart", hash: hashKey("cart", "alice") } }]);
    expect(JSON.stringify(sent)).not.toContain("alice");
  });

  test("without a leader, or before NATS answers, is refused so that the sender tries again", async () => {
    const answers = await Promise.all([(await route(new Error("no responders"))).post(), (await route(undefined, false)).post()]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
  });

  test("takes 200 events a second, and as many at once", async () => {
    const { post, wait } = await route();
    const statuses = async (): Promise<number[]> =>
      (await Promise.all(Array.from({ length: 210 }, () => post()))).map(({ status }) => status);
    const counted = (all: readonly number[]): number[] => [202, 429].map((wanted) => all.filter((status) => status === wanted).length);
    expect(counted(await statuses())).toEqual([200, 10]);
    wait(500);
    expect(counted(await statuses())).toEqual([100, 110]);
    wait(60_000);
    expect(counted(await statuses())).toEqual([200, 10]);
  });

  test.each([
    { title: "by GET", init: { method: "GET", body: null }, status: 405 },
    { title: "without a token", init: { headers: {} }, status: 401 },
    { title: "with a part of a token", init: { headers: { authorization: "Bearer second" } }, status: 401 },
    { title: "with its token otherwise", init: { headers: { authorization: "second-token" } }, status: 401 },
    { title: "that is no JSON", init: { body: "{" }, status: 400 },
    { title: "that is too long", init: { body: "x".repeat(16_385) }, status: 413 },
  ])("$title: $status", async ({ init, status }) => {
    const { post, sent } = await route();
    const response = await post(event, init);
    expect([response.status, sent]).toEqual([status, []]);
  });

  test("says what is wrong with an event", async () => {
    const { post } = await route({ result: "invalid", message: "cart has no variant blue" });
    expect(await (await post({ ...event, rollout: "none" })).json()).toEqual({ error: "no rollout is named none" });
    expect(await (await post()).json()).toEqual({ error: "cart has no variant blue" });
    expect(await (await post({ rollout: "cart", kind: "complaint" })).text()).toContain("neither key nor variant; give one of them");
  });
});
