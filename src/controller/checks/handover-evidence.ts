import type { HandoverEvidence } from "../../contract/handover.ts";
import { lacking } from "../../core/plan/handover.ts";
import { readBounded } from "../../io/bounded-body.ts";
import type { CheckSources } from "./sources.ts";

/** What an endpoint showed: all that it must, or not, and in words. */
export type Seen = Readonly<{ isShown: boolean; text: string }>;

const MAX_BYTES = 1_048_576;

/** Asks the endpoint once. Never throws: what is no clear answer shows nothing. */
export async function askStable({ http }: HandoverEvidence, sources: CheckSources, ending: AbortSignal): Promise<Seen> {
  const { url, secret, shows, timeout } = http;
  const limit = AbortSignal.timeout(timeout);
  try {
    const headers = secret === undefined ? {} : { authorization: `Bearer ${await sources.secret(secret)}` };
    // Not followed: it would take the token to somebody else.
    const response = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.any([limit, ending]) });
    const text = await readBounded(response, MAX_BYTES);
    if (response.status !== 200) return not(`it answers ${response.status}`);
    const lacks = lacking(shows, { headers: Object.fromEntries(response.headers), json: jsonIn(text) });
    return lacks === undefined ? { isShown: true, text: `${url} shows the new version` } : not(lacks);
  } catch (error) {
    if (limit.aborted) return not(`no answer in ${timeout} ms`);
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return not(cause instanceof Error ? cause.message : String(cause));
  }
}

const not = (text: string): Seen => ({ isShown: false, text });

/** Undefined where it is none. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Headers alone may be asked for.
  }
}
