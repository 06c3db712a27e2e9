import type { ServerDuplexStream, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { CompiledRules } from "../core/decide/compile.ts";
import { decide, NO_ROLLOUT } from "../core/decide/decide.ts";
import type { Decision } from "../core/decide/types.ts";
import type { ProcessingRequest, ProcessingResponse } from "./wire/messages.ts";
import { requestFacts } from "./wire/request.ts";
import { decisionAnswer, passAnswer } from "./wire/response.ts";

/** What the handler needs from the sidecar. */
export interface ExtProcPorts {
  rules(): CompiledRules;
  decided(decision: Decision): void;
  /** Something that should not happen did; the request went to stable. */
  surprise(kind: string, error: unknown): void;
  streamBegun(): void;
}

type Stream = ServerDuplexStream<ProcessingRequest, ProcessingResponse>;

/** Answers Envoy's external processing: every message exactly once, and never with an error. */
export function extProcService(ports: ExtProcPorts): UntypedServiceImplementation {
  return {
    process(stream: Stream): void {
      // A stream uses the rules that it started with.
      const rules = ports.rules();
      ports.streamBegun();
      stream.on("data", (message: ProcessingRequest) => {
        const response = answer(message, rules, ports);
        if (response !== undefined) stream.write(response);
      });
      // Envoy half-closes when nothing more is due; without our end it would reset the stream, and Node drops
      // a connection after a thousand resets.
      stream.on("end", () => stream.end());
      // A reset by Envoy arrives as `cancelled`; there is no state of our own to free, and it is no fault.
      stream.on("error", (error: unknown) => ports.surprise("stream", error));
    },
  };
}

/** The answer to one message; a surprise means stable. */
export function answer(
  message: ProcessingRequest,
  rules: CompiledRules,
  ports: Pick<ExtProcPorts, "decided" | "surprise">,
): ProcessingResponse | undefined {
  if (message.request !== "requestHeaders") {
    const pass = passAnswer(message);
    if (pass === undefined) ports.surprise("unknown message", message.request);
    return pass;
  }
  try {
    const decision = decide(rules, requestFacts(message));
    const response = decisionAnswer(decision, rules);
    ports.decided(decision);
    return response;
  } catch (error) {
    ports.surprise("decide", error);
    return decisionAnswer(NO_ROLLOUT, rules);
  }
}
