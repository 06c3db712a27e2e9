import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { askWebhook, type WebhookCall, type WebhookQuestion } from "../../../../src/controller/checks/webhook.ts";
import { serverThat } from "../../../support/http-answers.ts";

const question: WebhookQuestion = { check: "smoke", rollout: "cart", run: 3, variant: "canary", shareBp: 500, atMs: 1_700_000_000_123 };
const call = (url: string, change: Partial<WebhookCall> = {}): WebhookCall => ({
  url,
  timeoutMs: 5_000,
  key: undefined,
  signal: new AbortController().signal,
  ...change,
});
const answering = (...answers: readonly (readonly [status: number, body: string])[]): Promise<string> => {
  let asked = 0;
  return serverThat((_, response) => {
    const [status, body] = answers[Math.min(asked, answers.length - 1)] ?? [500, ""];
    asked += 1;
    response.writeHead(status, { location: "/elsewhere" }).end(body);
  });
};

describe("a webhook", () => {
  test("is told which rollout it is asked about, signed so that it can tell who asks", async () => {
    const seen: string[] = [];
    const url = await serverThat((request, response) => {
      seen.push(request.text, String(request.headers["x-serin-timestamp"]), String(request.headers["x-serin-signature"]));
      response.end('{"verdict":"advance"}');
    });
    expect(await askWebhook(question, call(url, { key: "s3cret" }))).toEqual({ verdict: "advance", reason: "says advance" });
    const [body = "", timestamp = "", signature] = seen;
    expect(JSON.parse(body)).toEqual(question);
    expect(timestamp).toBe("1700000000");
    expect(signature).toBe(`sha256=${createHmac("sha256", "s3cret").update(`${timestamp}.${body}`).digest("hex")}`);
  });

  test("is asked without a signature where there is no secret", async () => {
    const seen: unknown[] = [];
    const url = await serverThat((request, response) => {
      seen.push(request.headers["x-serin-signature"]);
      response.end('{"verdict":"hold","reason":"queue is long","more":1}');
    });
    expect(await askWebhook(question, call(url))).toEqual({ verdict: "hold", reason: "queue is long" });
    expect(seen).toEqual([undefined]);
  });

  test("that has trouble is asked again", async () => {
    const url = await answering([503, ""], [200, '{"verdict":"rollback","reason":"checkout broken"}']);
    expect(await askWebhook(question, call(url))).toEqual({ verdict: "rollback", reason: "checkout broken" });
  });

  const noAnswer = 'answers something else than {"verdict": "advance", "hold", "rollback" or "unknown", "reason": a text}';
  test.each([
    { title: "goes on having trouble", status: 500, body: "", reason: "answers 500, 3 times" },
    { title: "refuses", status: 403, body: "", reason: "answers 403, where 200 is a verdict" },
    { title: "answers no JSON", status: 200, body: "fine", reason: noAnswer },
    { title: "answers a word that is no verdict", status: 200, body: '{"verdict":"ok"}', reason: noAnswer },
    { title: "answers at great length", status: 200, body: " ".repeat(70_000), reason: "the answer is longer than 65536 bytes" },
  ])("that $title says nothing: unknown", async ({ status, body, reason }) => {
    expect(await askWebhook(question, call(await answering([status, body])))).toEqual({ verdict: "unknown", reason });
  });

  test("that sends the question elsewhere is not followed", async () => {
    const answer = await askWebhook(question, call(await answering([302, ""], [200, '{"verdict":"advance"}'])));
    expect(answer).toEqual({ verdict: "unknown", reason: "answers 302, where 200 is a verdict" });
  });

  test("that is slow is unknown after its time", async () => {
    const url = await serverThat(() => undefined);
    expect(await askWebhook(question, call(url, { timeoutMs: 30 }))).toEqual({ verdict: "unknown", reason: "no answer in 30 ms, 3 times" });
  });

  test("is let go when the controller stops", async () => {
    const stopping = new AbortController();
    const url = await serverThat(() => stopping.abort());
    expect(await askWebhook(question, call(url, { signal: stopping.signal }))).toMatchObject({ verdict: "unknown" });
  });
});
