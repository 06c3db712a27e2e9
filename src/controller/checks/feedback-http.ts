import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as z from "zod";
import { FeedbackEventSchema, type FeedbackReply, type HashedFeedback } from "../../contract/feedback.ts";
import type { Rollout } from "../../contract/rollout.ts";
import { hashedFeedback } from "../../core/decide/feedback.ts";
import { boundedText } from "../../io/bounded-body.ts";
import type { Clock } from "../../io/clock.ts";

/** Where events go on. Both may reject: nobody can be reached then. */
export interface FeedbackPorts {
  /** A rollout as applied, whose salt hashes keys; undefined where none is. */
  rollout(name: string): Promise<Rollout | undefined>;
  /** The leader's answer. */
  send(feedback: HashedFeedback): Promise<FeedbackReply>;
}

export type FeedbackRoute = (request: IncomingMessage, response: ServerResponse) => void;

const MAX_BYTES = 16 * 1_024;
/** Events a second that one controller takes, and as many more at once after a pause. */
const RATE = 200;

/** `POST /v1/feedback`, for callers that bring one of the tokens. `ports` is undefined until NATS was reached. */
export function feedbackRoute(tokens: readonly string[], clock: Clock, ports: () => FeedbackPorts | undefined): FeedbackRoute {
  const digests = tokens.map(digestOf);
  const isKnown = (token: string): boolean => digests.filter((digest) => timingSafeEqual(digest, digestOf(token))).length > 0;
  let left = RATE;
  let filledMs = clock.monotonicMs();
  const isWithinRate = (): boolean => {
    const nowMs = clock.monotonicMs();
    left = Math.min(RATE, left + ((nowMs - filledMs) / 1_000) * RATE);
    filledMs = nowMs;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    if (request.method !== "POST") return refusal(405, "events are sent by POST");
    const token = /^bearer (?<token>\S+)$/i.exec(request.headers.authorization ?? "")?.groups?.["token"];
    if (token === undefined || !isKnown(token))
      return refusal(401, "no token that is known; send one of the --feedback-token-file as authorization: Bearer TOKEN");
    if (!isWithinRate()) return refusal(429, `more than ${RATE} events a second; send it again later`);
    const text = await boundedText(request, MAX_BYTES);
    return text === undefined ? refusal(413, `longer than ${MAX_BYTES} bytes; send less with an event`) : take(text, ports());
  };
  return (request, response) => {
    void answer(request)
      // The reason could quote the event.
      .catch(() => refusal(503, "nobody leads or NATS is away; send it again"))
      .then(({ status, body }) => {
        // What was not read to the end would stand before the next request.
        response.writeHead(status, { "content-type": "application/json", ...(request.complete ? {} : { connection: "close" }) });
        response.end(`${JSON.stringify(body)}\n`);
      });
  };
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

const refusal = (status: number, error: string): Answer => ({ status, body: { error } });

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();

async function take(text: string, ports: FeedbackPorts | undefined): Promise<Answer> {
  const parsed = FeedbackEventSchema.safeParse(jsonOf(text));
  if (!parsed.success) return refusal(400, z.prettifyError(parsed.error));
  if (ports === undefined) return refusal(503, "NATS does not answer yet; send it again");
  const rollout = await ports.rollout(parsed.data.rollout);
  if (rollout === undefined) return refusal(400, `no rollout is named ${parsed.data.rollout}`);
  const reply = await ports.send(hashedFeedback(parsed.data, rollout));
  return reply.result === "invalid" ? refusal(400, reply.message) : { status: 202, body: reply };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the schema says what is wanted, without quoting a user.
    return undefined;
  }
}
