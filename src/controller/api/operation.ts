import type { Clock } from "../../io/clock.ts";
import type { OperatorKeys } from "../../io/kill-signatures.ts";
import type { NatsLink } from "../../io/nats.ts";
import type { TokenLine } from "../../io/tokens.ts";
import type { Feed } from "../stream/feed.ts";
import type { Answer, StreamAnswer } from "./answers.ts";
import type { Routed } from "./requests.ts";

/** A request that may be carried out. */
export interface Asked extends Routed {
  readonly body: unknown;
  /** Whose request it is; undefined where nobody is asked. */
  readonly token: TokenLine | undefined;
  /** Makes a repeat harmless; another one each time where the sender gave none. */
  readonly repeatKey: string;
}

/** What operations need. */
export interface OperationPorts {
  readonly link: NatsLink;
  readonly clock: Clock;
  /** Name of this controller. */
  readonly id: string;
  readonly feed: Feed;
  readonly operatorKeys: OperatorKeys;
  /** Whether a token still counts. */
  counts(token: TokenLine): Promise<boolean>;
}

/** Carries a request out. */
export type Operation = (asked: Asked, ports: OperationPorts) => Promise<Answer | StreamAnswer>;
