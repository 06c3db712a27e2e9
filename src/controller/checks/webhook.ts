import * as z from "zod";
import { type Verdict, VerdictSchema } from "../../contract/verdict.ts";
import { readBounded } from "../../io/bounded-body.ts";
import { pause } from "../candidate.ts";
import { causeOf, signatureOf } from "../signature.ts";

/** What a service is told when it is asked for its verdict. */
export interface WebhookQuestion {
  readonly check: string;
  readonly rollout: string;
  readonly run: number;
  readonly variant: string;
  readonly shareBp: number;
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** How it is asked. */
export interface WebhookCall {
  readonly url: string;
  readonly timeoutMs: number;
  /** Signs the question; undefined where the check names no secret. */
  readonly key: string | undefined;
  /** Ends the call early. */
  readonly signal: AbortSignal;
}

export type WebhookAnswer = Readonly<{ verdict: Verdict; reason: string }>;

const MAX_BYTES = 64 * 1_024;
const TRIES = 3;
const PAUSE_MS = 250;

const AnswerSchema = z.object({ verdict: VerdictSchema, reason: z.string().max(1_000).default("") });

/** Asks, up to three times where a better moment may help; no clear answer is `unknown`, with its reason. Never throws. */
export async function askWebhook(question: WebhookQuestion, call: WebhookCall): Promise<WebhookAnswer> {
  for (let tried = 1; ; tried += 1) {
    const result = await askOnce(question, call);
    if ("verdict" in result) return result;
    if (tried === TRIES || call.signal.aborted) return unknown(`${result.why}, ${tried} times`);
    await pause(PAUSE_MS * tried, call.signal);
  }
}

const unknown = (reason: string): WebhookAnswer => ({ verdict: "unknown", reason });

async function askOnce(question: WebhookQuestion, { url, timeoutMs, key, signal }: WebhookCall): Promise<WebhookAnswer | { why: string }> {
  const body = JSON.stringify(question);
  const headers = { "content-type": "application/json", ...(key !== undefined && signatureOf(body, key, question.atMs)) };
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    // Not followed: it would take the signed question to somebody else.
    const response = await fetch(url, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal: AbortSignal.any([timeout, signal]),
    });
    const text = await readBounded(response, MAX_BYTES);
    if (response.status === 429 || response.status >= 500) return { why: `answers ${response.status}` };
    return response.ok ? answerIn(text) : unknown(`answers ${response.status}, where 200 is a verdict`);
  } catch (error) {
    if (signal.aborted) return unknown("not asked to the end, because this controller leads no more");
    if (timeout.aborted) return { why: `no answer in ${timeoutMs} ms` };
    if (error instanceof RangeError) return unknown(error.message);
    return { why: `cannot be reached (${causeOf(error)})` };
  }
}

function answerIn(text: string): WebhookAnswer {
  try {
    const { verdict, reason } = AnswerSchema.parse(JSON.parse(text));
    return { verdict, reason: reason === "" ? `says ${verdict}` : reason };
  } catch {
    // Said as the verdict: whatever it is, it is no answer.
    return unknown('answers something else than {"verdict": "advance", "hold", "rollback" or "unknown", "reason": a text}');
  }
}
