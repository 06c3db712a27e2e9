import { type MsgHdrs, NoRespondersError, RequestError, TimeoutError } from "@nats-io/transport-node";
import { NoLeaderError } from "../contract/errors.ts";
import type { NatsLink } from "./nats.ts";

/** Asks the leader, and waits for its answer. Throws NoLeaderError when nobody leads or answers. */
export async function askLeader(
  link: NatsLink,
  subject: string,
  payload: string,
  options: Readonly<{ timeout: number; headers?: MsgHdrs }>,
): Promise<Uint8Array> {
  try {
    return (await link.connection.request(subject, payload, options)).data;
  } catch (cause) {
    if (isNoResponders(cause)) {
      throw new NoLeaderError("no controller leads, so nothing was done; start one with `serin controller --nats URL`, then try again", {
        cause,
      });
    }
    if (isTimeout(cause)) {
      throw new NoLeaderError(
        `no controller answered within ${options.timeout} ms; the command may have been carried out: look with \`serin status\`, or try again`,
        { cause },
      );
    }
    throw cause;
  }
}

const isNoResponders = (error: unknown): boolean =>
  error instanceof NoRespondersError || (error instanceof RequestError && error.isNoResponders());

const isTimeout = (error: unknown): boolean =>
  error instanceof TimeoutError || (error instanceof RequestError && error.cause instanceof TimeoutError);
