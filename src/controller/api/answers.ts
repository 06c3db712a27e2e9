import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Problem } from "../../contract/api.ts";
import { DocumentError, NoLeaderError } from "../../contract/errors.ts";
import type { Reply } from "../../contract/messages.ts";

/** What is answered to a request. */
export interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that goes on: whoever gives it writes it. */
export interface StreamAnswer {
  stream(response: ServerResponse): void;
}

/** A request that cannot be answered as asked; becomes an answer of RFC 9457. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly answer: Answer;

  constructor(status: number, detail: string, more: Readonly<{ headers?: Record<string, string>; faults?: Problem["faults"] }> = {}) {
    super(detail);
    const { headers = {}, faults } = more;
    this.answer = problem(status, detail, faults === undefined ? {} : { faults }, headers);
  }
}

function problem(status: number, detail: string, more: Partial<Problem>, headers: Record<string, string> = {}): Answer {
  const body: Problem = { type: "about:blank", title: STATUS_CODES[status] ?? "Problem", status, detail, ...more };
  return { status, body, headers: { ...headers, "content-type": "application/problem+json" } };
}

export const ok = (body: object): Answer => ({ status: 200, body });

/** What the client of NATS throws where the server is away. */
const AWAY = new Set(["TimeoutError", "RequestError", "NoRespondersError", "ConnectionError", "ClosedConnectionError", "JetStreamError"]);

/** An answer to whatever was thrown; undefined for an error of our own, whose words are not for strangers. */
export function answerTo(error: unknown): Answer | undefined {
  if (error instanceof ProblemError) return error.answer;
  if (error instanceof DocumentError) return problem(422, error.message, { faults: [...error.faults] });
  if (error instanceof NoLeaderError) return problem(503, error.message, {}, { "retry-after": "5" });
  if (error instanceof Error && AWAY.has(error.name)) return problem(503, "NATS does not answer; try again", {}, { "retry-after": "5" });
  return undefined;
}

export const ownError = (): Answer => problem(500, "an error of Serin's own; the controller's log tells more", {});

export type NamedReply = Reply & Readonly<{ name: string }>;

const STATUS: Readonly<Record<Reply["result"], number>> = { done: 200, unchanged: 200, refused: 409, invalid: 422, failed: 500 };

/** The leader's answer to a command. */
export function replyAnswer(reply: Reply, name: string): Answer {
  const status = STATUS[reply.result];
  return status === 200 ? ok(reply) : problem(status, reply.message, { replies: [{ name, ...reply }] });
}

/** The leader's answers to several: all of them, under the status of the first that was not done. */
export function repliesAnswer(replies: readonly NamedReply[]): Answer {
  const bad = replies.find(({ result }) => STATUS[result] !== 200);
  return bad === undefined ? ok({ replies }) : problem(STATUS[bad.result], `${bad.name}: ${bad.message}`, { replies: [...replies] });
}
