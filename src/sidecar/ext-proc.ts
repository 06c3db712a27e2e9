import { BAGGAGE, baggageAfter } from "../core/decide/baggage.ts";
import type { CompiledRules } from "../core/decide/compile.ts";
import { decide, NO_ROLLOUT } from "../core/decide/decide.ts";
import { sentMember } from "../core/decide/tags.ts";
import type { Decision } from "../core/decide/types.ts";
import { type Extra, Extras, type ExtrasPorts } from "./extras.ts";
import { messageOf, type Prepared } from "./h2/prepared.ts";
import { type Call, type CallHandler, type Method } from "./h2/stream.ts";
import type { MixUsers } from "./mix-users.ts";
import { createPreparedAnswers, preparedAnswer } from "./prepared-answers.ts";
import type { Peer } from "./trusted-peers.ts";
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
  /** Envoy ended a stream by a reset. */
  streamReset(): void;
  /** Whether a peer's word on cohorts is believed; nobody's when absent. */
  trusts?(peer: Peer): boolean;
  /** Hears who asked, where a rollout wants the mix of its users; nobody does when absent. */
  readonly mix?: Pick<MixUsers, "decided"> | undefined;
  /** Undefined where there is nothing but decisions. */
  readonly extras?: ExtrasPorts;
}

/** Answers Envoy's external processing: every message exactly once, and never with an error. */
export function extProcMethod(ports: ExtProcPorts): Method {
  // One for all streams: a message is read and answered before the next one.
  const reader = new RequestReader();
  const extras = ports.extras === undefined ? undefined : new Extras(reader, ports.extras);
  const shared = { ports, reader, extras, answerOf: createPreparedAnswers() };
  shared.reader.overlong = () => ports.surprise("value too long for a regular expression", undefined);
  if (ports.trusts !== undefined) shared.reader.trusts = ports.trusts;
  return (call) => {
    ports.streamBegun();
    return new ExtProcCall(call, shared);
  };
}

interface Shared {
  readonly ports: ExtProcPorts;
  readonly reader: RequestReader;
  readonly extras: Extras | undefined;
  readonly answerOf: ReturnType<typeof createPreparedAnswers>;
}

class ExtProcCall implements CallHandler {
  readonly #call: Call;
  readonly #shared: Shared;
  /** A stream uses the rules that it started with. */
  readonly #rules: CompiledRules;
  /** What the headers of the response will be answered with; undefined where they are not asked for. */
  #toResponse: Buffer | undefined;

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
    if (kind === KIND.responseHeaders && this.#toResponse !== undefined) {
      this.#call.send(this.#toResponse);
      this.#responseEnded(true);
      return;
    }
    const pass = passAnswer(kind);
    if (pass === undefined) ports.surprise("unknown message", kind);
    else this.#call.send(pass);
  }

  #decide(): void {
    const { ports, reader, extras } = this.#shared;
    let extra: Extra | undefined;
    let decision: Decision;
    let answer: Prepared;
    try {
      const { isSession } = reader;
      extras?.begin();
      decision = decide(this.#rules, reader);
      answer = this.#answerTo(decision, isSession);
      extra = extras?.after(this.#rules);
      if (this.#rules.mixed > 0) ports.mix?.decided(decision, this.#rules, reader);
      ports.decided(decision, isSession);
    } catch (error) {
      extra = undefined;
      ports.surprise("decide", error);
      decision = NO_ROLLOUT;
      answer = this.#shared.answerOf(NO_ROLLOUT, this.#rules, false);
    }
    const bucket = decision.bucket ?? 0;
    if (extra === undefined) this.#call.sendPrepared(answer, bucket);
    else this.#sendWith(extra, messageOf(answer, bucket));
  }

  #sendWith({ toRequest, toResponse }: Extra, answer: Buffer): void {
    this.#call.send(Buffer.concat([answer, toRequest]));
    this.#toResponse = toResponse;
    if (toResponse !== undefined) this.#shared.ports.extras?.responseAsked();
  }

  #responseEnded(isSent: boolean): void {
    if (this.#toResponse === undefined) return;
    this.#toResponse = undefined;
    this.#shared.ports.extras?.responseEnded(isSent);
  }

  #answerTo(decision: Decision, isSession: boolean): Prepared {
    const { ports, reader, answerOf } = this.#shared;
    const headers = reader.headers(BAGGAGE);
    if (headers.length === 0) return answerOf(decision, this.#rules, isSession);
    const member = sentMember(decision, this.#rules);
    const { value: baggage, isFull } = baggageAfter(headers, member, () => reader.isTrustedPeer);
    if (isFull) ports.surprise("no room in the baggage", undefined);
    if (member === undefined && baggage === undefined) return answerOf(decision, this.#rules, isSession);
    return preparedAnswer(decision, this.#rules, { isSession, baggage });
  }

  /** Envoy half-closes when nothing more is due; without our end it would reset the stream. */
  halfClosed(): void {
    this.#responseEnded(false);
    this.#call.end();
  }

  closed(isReset: boolean): void {
    this.#responseEnded(false);
    if (isReset) this.#shared.ports.streamReset();
  }
}
