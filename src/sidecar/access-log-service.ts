import { type Attribution, attribute, attributeToggles, type EntryFacts } from "./attribution.ts";
import { entryFacts, isFinal } from "./entry-facts.ts";
import type { Call, Method } from "./h2/stream.ts";
import { AccessLogReader } from "./wire/access-log.ts";

/** What the access log service needs from the sidecar. */
export interface AccessLogPorts {
  /** The entry is the one that the attribution is of. */
  ended(attribution: Attribution, entry: EntryFacts): void;
  surprise(kind: string, error: unknown): void;
}

/** The service, and the way to end its streams, which Envoy keeps open for ever. */
export interface AccessLogService {
  readonly method: Method;
  /** Ends them, and goes on reading what Envoy sends until it has heard of that: its next entries go to another stream. */
  endAll(): void;
}

const NOTHING = Buffer.alloc(0);

/** Takes outcomes from Envoy's access log stream. */
export function accessLogService(ports: AccessLogPorts): AccessLogService {
  const open = new Set<Call>();
  const reader = new AccessLogReader();
  return {
    method(call) {
      open.add(call);
      return {
        message(bytes, from, to) {
          for (const entry of reader.read(bytes, from, to)) {
            try {
              if (!isFinal(entry)) continue;
              const facts = entryFacts(entry);
              ports.ended(attribute(facts), facts);
              for (const attribution of attributeToggles(facts)) ports.ended(attribution, facts);
            } catch (error) {
              ports.surprise("access log entry", error);
            }
          }
        },
        halfClosed() {
          call.send(NOTHING);
          call.end();
        },
        closed: () => void open.delete(call),
      };
    },
    endAll() {
      for (const call of open) {
        call.send(NOTHING);
        call.endGently();
        call.flush();
      }
    },
  };
}
