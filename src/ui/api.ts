import type { AskedRequest, Explained } from "../contract/explanation.ts";
import type { Audit, Reply } from "../contract/messages.ts";
import type { Series } from "../contract/stream.ts";
import { detailOf } from "./follow.ts";
import { ProblemAnswer } from "./problem-answer.ts";

/** The HTTP API as the page uses it; each throws an Error for people. */
export interface Api {
  series(rollout: string): Promise<Series>;
  audit(rollout: string): Promise<readonly Audit[]>;
  explain(request: AskedRequest): Promise<Explained>;
  /** Carries a command out once, however often it is sent with the same key. */
  command(path: string, body: object, key: string): Promise<Reply>;
}

/** Asks with a token. */
export function apiWith(token: string): Api {
  const ask = async (path: string, init: RequestInit = {}, more: Record<string, string> = {}): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}`, ...more };
    const response = await fetch(path, { credentials: "omit", cache: "no-store", ...init, headers });
    if (!response.ok) throw new ProblemAnswer(response.status, await detailOf(response));
    return response.json();
  };
  const post = (path: string, body: object, headers: Record<string, string> = {}): Promise<unknown> =>
    ask(path, { method: "POST", body: JSON.stringify(body) }, { "content-type": "application/json", ...headers });
  const name = encodeURIComponent;
  // What serves the page answers in the forms of the contract.
  return {
    series: async (rollout) => (await ask(`v1/rollouts/${name(rollout)}/series`)) as Series,
    audit: async (rollout) => ((await ask(`v1/audit?rollout=${name(rollout)}&limit=200`)) as { lines: Audit[] }).lines,
    explain: async (request) => (await post("v1/explain", request)) as Explained,
    command: async (path, body, key) => (await post(path, body, { "idempotency-key": key })) as Reply,
  };
}
