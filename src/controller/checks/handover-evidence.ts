import type { HandoverEvidence } from "../../contract/handover.ts";
import type { KubernetesRule } from "../../contract/kubernetes.ts";
import { lacking } from "../../core/plan/handover.ts";
import { podsLack } from "../../core/plan/stable-pods.ts";
import { readBounded } from "../../io/bounded-body.ts";
import type { KubernetesPort } from "../ports.ts";
import { causeOf } from "../signature.ts";
import type { CheckSources } from "./sources.ts";

/** What an endpoint showed: all that it must, or not, and in words. */
export type Seen = Readonly<{ isShown: boolean; text: string }>;

const MAX_BYTES = 1_048_576;

/** Where evidence is asked for. */
interface Sources {
  readonly sources: CheckSources;
  readonly kubernetes: KubernetesPort | undefined;
  /** Of the rollout. */
  readonly rule: KubernetesRule | undefined;
}

/** Asks once. Never throws: what is no clear answer shows nothing. */
export async function askStable(when: HandoverEvidence, { sources, kubernetes, rule }: Sources, ending: AbortSignal): Promise<Seen> {
  try {
    if (when.http !== undefined) return await askEndpoint(when.http, sources, ending);
    if (kubernetes === undefined) return not("no Kubernetes is looked at; start controllers with --kubernetes");
    // The contract lets no rollout ask for pods without both.
    if (when.kubernetes === undefined || rule === undefined) return not("no Service of stable is named");
    const lacks = podsLack(when.kubernetes, await kubernetes.stablePods(rule, ending));
    return lacks === undefined ? { isShown: true, text: "all pods of stable show the new version" } : not(lacks);
  } catch (error) {
    return not(causeOf(error));
  }
}

async function askEndpoint(
  { url, secret, shows, timeout }: NonNullable<HandoverEvidence["http"]>,
  sources: CheckSources,
  ending: AbortSignal,
): Promise<Seen> {
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
    throw error;
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
