import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Receiver } from "../../contract/notifications.ts";
import type { NoticeBody } from "../../told/notice-bodies.ts";
import { causeOf, signatureOf } from "../signature.ts";

/** How a delivery ended: told; to be tried again, after a while that the receiver may ask for; or of no use to try again. */
export type Delivered =
  | Readonly<{ type: "told" }>
  | Readonly<{ type: "later"; why: string; afterMs?: number }>
  | Readonly<{ type: "never"; why: string }>;

export interface DeliverParts {
  /** Folder of secrets. */
  readonly secrets: string | undefined;
  readonly nowMs: number;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

/** The longest pause that a receiver may ask for. */
const MAX_PAUSE_MS = 300_000;

/** Sends one message once. Never throws. */
export async function deliver(
  receiver: Receiver,
  { body, contentType }: NoticeBody,
  { secrets, nowMs, signal }: DeliverParts,
): Promise<Delivered> {
  const timeout = AbortSignal.timeout(receiver.timeout);
  try {
    const { url, headers } = await addressed(receiver, { body, secrets, nowMs });
    // Not followed: it would take the message to somebody else.
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": contentType, "user-agent": "serin", ...headers },
      body,
      redirect: "manual",
      signal: AbortSignal.any([timeout, signal]),
    });
    await response.body?.cancel();
    return verdictOn(response);
  } catch (error) {
    if (error instanceof SecretError) return { type: "later", why: error.message };
    if (timeout.aborted) return { type: "later", why: `no answer in ${receiver.timeout} ms` };
    return { type: "later", why: `cannot be reached (${causeOf(error)})` };
  }
}

/** Of what they call the sender's fault only some will be better later. */
const BETTER_LATER = [408, 425, 429];

function verdictOn({ ok, status, headers }: Response): Delivered {
  if (ok) return { type: "told" };
  const why = `answers ${status}`;
  if (status < 500 && !BETTER_LATER.includes(status)) return { type: "never", why };
  const afterS = Number(headers.get("retry-after") ?? Number.NaN);
  return afterS > 0 ? { type: "later", why, afterMs: Math.min(afterS * 1_000, MAX_PAUSE_MS) } : { type: "later", why };
}

/** A secret that is not there, or cannot be what it should be; with the fix, and never with its text. */
class SecretError extends Error {
  override readonly name = "SecretError";
}

const NO_SECRETS = { secret: undefined, authorizationFrom: undefined };

type Address = Readonly<{ url: string; headers: Readonly<Record<string, string>> }>;

async function addressed(
  receiver: Receiver,
  { body, secrets, nowMs }: Readonly<{ body: string; secrets: string | undefined; nowMs: number }>,
): Promise<Address> {
  const form = "webhook" in receiver ? receiver.webhook : "slack" in receiver ? receiver.slack : receiver.template;
  const url = form.url ?? (await secretIn(secrets, form.urlFrom ?? ""));
  if (!/^https?:\/\//.test(url))
    throw new SecretError(`the secret ${form.urlFrom ?? ""} is no address; write one that begins with https://`);
  const { secret, authorizationFrom } = "slack" in receiver ? NO_SECRETS : "webhook" in receiver ? receiver.webhook : receiver.template;
  const key = secret === undefined ? undefined : await secretIn(secrets, secret);
  const authorization = authorizationFrom === undefined ? undefined : await secretIn(secrets, authorizationFrom);
  return {
    url,
    headers: { ...(key !== undefined && signatureOf(body, key, nowMs)), ...(authorization !== undefined && { authorization }) },
  };
}

async function secretIn(folder: string | undefined, name: string): Promise<string> {
  if (folder === undefined) throw new SecretError(`the secret ${name} has no place to be; start controllers with --notify-secrets DIR`);
  const text = await readFile(join(folder, name), "utf8").then(
    (found) => found.trim(),
    () => "",
  );
  if (text === "")
    throw new SecretError(`the secret ${name} cannot be read; put it as file ${name} into the controller's --notify-secrets`);
  return text;
}
