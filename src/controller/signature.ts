import { createHmac } from "node:crypto";

/** Headers of what is sent to others: `sha256=` and the hex digits of an HMAC over the timestamp, a dot and the body; and that timestamp in seconds. */
export function signatureOf(body: string, key: string, nowMs: number): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signature = createHmac("sha256", key).update(`${timestamp}.${body}`).digest("hex");
  return { "x-serin-timestamp": timestamp, "x-serin-signature": `sha256=${signature}` };
}

/** Why somebody cannot be reached: what `fetch` throws says only that it failed. */
export const causeOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
};
