import type { CompiledRules } from "../core/decide/compile.ts";
import { decide, NO_ROLLOUT } from "../core/decide/decide.ts";
import type { Decision } from "../core/decide/types.ts";
import type { Call, CallHandler, Method, Prepared } from "./h2/stream.ts";
import { createPreparedAnswers } from "./prepared-answers.ts";
import { passAnswer } from "./wire/answer.ts";
import { KIND, RequestReader } from "./wire/request.ts";

/** What the handler needs from the sidecar. */
export interface ExtProcPorts {
  rules(): CompiledRules;
  /** `isSession` when the request asks for another protocol. */
  decided(decision: Decision, isSession: boolean): unknown;
  /** Something that should not happen did; the request went to stable. */
  surprise(kind: string, error: unknown): void;
  streamBegun(): void;
}

/** Answers Envoy's external processing: every message exactly once, and never with an error. */
export function extProcMethod(ports: ExtProcPorts): Method {
  // One for all streams: a message is read and answered before the next one.
  const shared = { ports, reader: new RequestReader(), answerOf: createPreparedAnswers() };
  shared.reader.overlong = () => ports.surprise("value too long for a regular expression", undefined);
  shared.reader.unknownSegment = (name) => ports.surprise("unknown segment", name);
  return (call) => {
    ports.streamBegun();
    return new ExtProcCall(call, shared);
  };
}

interface Shared {
  readonly ports: ExtProcPorts;
  readonly reader: RequestReader;
  readonly answerOf: ReturnType<typeof createPreparedAnswers>;
}

class ExtProcCall implements CallHandler {
  readonly #call: Call;
  readonly #shared: Shared;
  /** A stream uses the rules that it started with. */
  readonly #rules: CompiledRules;

  constructor(call: Call, shared: Shared) {
    this.#call = call;
    this.#shared = shared;
    this.#rules = shared.ports.rules();
  }

  message(bytes: Buffer, from: number, to: number): void {
    const { ports, reader } = this.#shared;
    // A message that cannot be read ends the stream with an error, as any gRPC server does: Envoy goes on without an answer.
    const kind = reader.read(bytes, from, to);
    if (kind === KIND.requestHeaders) {
      this.#decide();
      return;
    }
    const pass = passAnswer(kind);
    if (pass === undefined) ports.surprise("unknown message", kind);
    else this.#call.send(pass);
  }

  #decide(): void {
    const { ports, reader, answerOf } = this.#shared;
    let decision: Decision;
    let answer: Prepared;
    try {
      const { isSession } = reader;
      decision = decide(this.#rules, reader);
      answer = answerOf(decision, this.#rules, isSession);
      ports.decided(decision, isSession);
    } catch (error) {
      ports.surprise("decide", error);
      decision = NO_ROLLOUT;
      answer = answerOf(NO_ROLLOUT, this.#rules, false);
    }
    this.#call.sendPrepared(answer, decision.bucket ?? 0);
  }

  /** Envoy half-closes when nothing more is due; without our end it would reset the stream. */
  halfClosed(): void {
    this.#call.end();
  }

  closed(): void {
    // Nothing of a stream outlives it.
  }
}
