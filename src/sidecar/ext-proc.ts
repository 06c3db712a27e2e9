import { BAGGAGE, baggageAfter } from "../core/decide/baggage.ts";
import type { CompiledRules } from "../core/decide/compile.ts";
import { decide, decideToggles, NO_ROLLOUT } from "../core/decide/decide.ts";
import { sentMember } from "../core/decide/tags.ts";
import type { Decision } from "../core/decide/types.ts";
import { type Extra, Extras, type ExtrasPorts } from "./extras.ts";
import { messageOf } from "./h2/prepared.ts";
import { type Call, type CallHandler, type Method } from "./h2/stream.ts";
import type { MixUsers } from "./mix-users.ts";
import { answerAnew, createPreparedAnswers, type Framed, type Message, type PreparedAnswers } from "./prepared-answers.ts";
import type { Peer } from "./trusted-peers.ts";
import { type Answered, passAnswer } from "./wire/answer.ts";
import { KIND, type Kind, RequestReader } from "./wire/request.ts";

/** What the handler needs from the sidecar. */
export interface ExtProcPorts {
  rules(): CompiledRules;
  /** `isSession` when the request asks for another protocol. */
  decided(decision: Decision, isSession: boolean): unknown;
  /** Something that should not happen did; the request went to stable. */
  surprise(kind: string, error: unknown): void;
  streamBegun(): void;
  /** A stream is gone; `isReset` where Envoy ended it so. */
  streamClosed(isReset: boolean): void;
  /** Hears how long some decisions took, from headers to answer; nobody does when absent. */
  decisionTook?(ms: number): void;
  /** Whether a peer's word on cohorts is believed; nobody's when absent. */
  trusts?(peer: Peer): boolean;
  /** Hears who asked, where a rollout wants the mix of its users; nobody does when absent. */
  readonly mix?: Pick<MixUsers, "decided"> | undefined;
  /** Undefined where there is nothing but decisions. */
  readonly extras?: ExtrasPorts;
}

/**
 * What Envoy takes of a request's headers by default (`max_headers_count`, `max_request_headers_kb`). Where an answer takes them over
 * that, Envoy answers 500 in the upstream's place, also with `failure_mode_allow` (`headerMutationResultCheck` of its mutation_utils.cc).
 */
const MOST = { headers: 100, bytes: 60 * 1_024 } as const;

const hasRoom = ({ headerCount, messageBytes }: RequestReader, { sets, bytes }: Message): boolean =>
  sets === 0 || (headerCount + sets <= MOST.headers && messageBytes + bytes.length <= MOST.bytes);

/** One decision in so many is timed: two looks at the clock cost as much as a small rule. */
const TIMED = 16;

const NO_TOGGLES: readonly Decision[] = [];

/** Answers Envoy's external processing: every message exactly once, and never with an error. */
export function extProcMethod(ports: ExtProcPorts): Method {
  // One for all streams: a message is read and answered before the next one.
  const reader = new RequestReader();
  const extras = ports.extras === undefined ? undefined : new Extras(reader, ports.extras);
  const shared = { ports, reader, extras, answers: createPreparedAnswers(), untimed: 0 };
  shared.reader.overlong = () => ports.surprise("value too long for a regular expression", undefined);
  shared.reader.unknownSegment = (name) => ports.surprise("unknown segment", name);
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
  readonly answers: PreparedAnswers;
  /** Decisions until one is timed again. */
  untimed: number;
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
    if (this.#shared.untimed > 0) {
      this.#shared.untimed -= 1;
      this.#answer(bytes, from, to);
      return;
    }
    const beganMs = performance.now();
    if (this.#answer(bytes, from, to) !== KIND.requestHeaders) return;
    this.#shared.untimed = TIMED - 1;
    this.#shared.ports.decisionTook?.(performance.now() - beganMs);
  }

  /** Tells the kind of what it answered. */
  #answer(bytes: Buffer, from: number, to: number): Kind {
    const { ports, reader } = this.#shared;
    // A message that cannot be read ends the stream with an error, as any gRPC server does: Envoy goes on without an answer.
    const kind = reader.read(bytes, from, to);
    if (kind === KIND.requestHeaders) {
      this.#decide();
      return kind;
    }
    if (kind === KIND.responseHeaders && this.#toResponse !== undefined) {
      this.#call.send(this.#toResponse);
      this.#responseEnded(true);
      return kind;
    }
    const pass = passAnswer(kind);
    if (pass === undefined) ports.surprise("unknown message", kind);
    else this.#call.send(pass);
    return kind;
  }

  #decide(): void {
    const { ports, reader, extras } = this.#shared;
    let extra: Extra | undefined;
    let decision: Decision;
    let answer: Framed | Message;
    try {
      const { isSession } = reader;
      extras?.begin();
      decision = decide(this.#rules, reader);
      let toggles = decideToggles(this.#rules, reader);
      answer = this.#answerTo({ decision, toggles, isSession });
      if (!hasRoom(reader, answer)) {
        ports.surprise("no room for tags", undefined);
        toggles = NO_TOGGLES;
        answer = this.#bareAnswer(decision, isSession);
      }
      extra = extras?.after(this.#rules);
      if (this.#rules.mixed > 0) for (const each of [decision, ...toggles]) ports.mix?.decided(each, this.#rules, reader);
      ports.decided(decision, isSession);
      for (const toggle of toggles) ports.decided(toggle, isSession);
    } catch (error) {
      extra = undefined;
      ports.surprise("decide", error);
      decision = NO_ROLLOUT;
      answer = this.#shared.answers.of(NO_ROLLOUT, this.#rules, false);
    }
    const bucket = decision.bucket ?? 0;
    if (extra === undefined && "dataAt" in answer) this.#call.sendPrepared(answer, bucket);
    else this.#sendWith(extra, "dataAt" in answer ? messageOf(answer, bucket) : answer.bytes);
  }

  #sendWith(extra: Extra | undefined, answer: Buffer): void {
    if (extra === undefined) {
      this.#call.send(answer);
      return;
    }
    const { toRequest, toResponse } = extra;
    this.#call.send(Buffer.concat([answer, toRequest]));
    this.#toResponse = toResponse;
    if (toResponse !== undefined) this.#shared.ports.extras?.responseAsked();
  }

  #responseEnded(isSent: boolean): void {
    if (this.#toResponse === undefined) return;
    this.#toResponse = undefined;
    this.#shared.ports.extras?.responseEnded(isSent);
  }

  /** Toggles whose tags cannot be set are not decided, and a member of ours is not added; what must not go on is still taken out. */
  #bareAnswer(decision: Decision, isSession: boolean): Message {
    const { reader } = this.#shared;
    const { value: baggage } = baggageAfter(reader.headers(BAGGAGE), undefined, () => reader.isTrustedPeer);
    return answerAnew({ decision, toggles: NO_TOGGLES, isSession, baggage, isBare: true }, this.#rules);
  }

  #answerTo(told: Omit<Answered, "baggage">): Framed | Message {
    const { ports, reader, answers } = this.#shared;
    const { decision, toggles, isSession } = told;
    const headers = reader.headers(BAGGAGE);
    if (headers.length > 0) {
      const member = sentMember(decision, this.#rules);
      const { value: baggage, isFull } = baggageAfter(headers, member, () => reader.isTrustedPeer);
      if (isFull) ports.surprise("no room in the baggage", undefined);
      if (member !== undefined || baggage !== undefined) return answerAnew({ ...told, baggage }, this.#rules);
    }
    return toggles.length === 0 ? answers.of(decision, this.#rules, isSession) : answers.withToggles(told, this.#rules);
  }

  /** Envoy half-closes when nothing more is due; without our end it would reset the stream. */
  halfClosed(): void {
    this.#responseEnded(false);
    this.#call.end();
  }

  closed(isReset: boolean): void {
    this.#responseEnded(false);
    this.#shared.ports.streamClosed(isReset);
  }
}
