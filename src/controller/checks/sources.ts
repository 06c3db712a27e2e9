import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createPrometheusApi, type PrometheusApi } from "../../io/prometheus-api.ts";

/** Where own checks ask. Both throw, with the fix, what people read as the reason of `unknown`. */
export interface CheckSources {
  /** The server at this address, or else the controller's own. */
  prometheus(url: string | undefined, signal: AbortSignal): Promise<PrometheusApi>;
  secret(name: string): Promise<string>;
}

interface Settings {
  readonly checksPrometheus?: string | undefined;
  readonly checkSecrets?: string | undefined;
}

/** Longest wait for a Prometheus: a round comes every ten seconds. */
const TIMEOUT_MS = 5_000;
/** Several times as many series as count: reading more would keep the leader from its other work. */
const MAX_BYTES = 2 * 1_024 * 1_024;
/** The secret that is sent, as a bearer token, to the controller's own Prometheus and to no other. */
const TOKEN = "prometheus";

/** Sources as the controller's options name them; secrets are read anew each time, so that they can be changed. */
export function checkSources({ checksPrometheus, checkSecrets }: Settings): CheckSources {
  const secret = async (name: string): Promise<string> => {
    if (checkSecrets === undefined) throw new Error(`the secret ${name} has no place to be; start controllers with --check-secrets DIR`);
    const text = await secretIn(checkSecrets, name);
    if (text === undefined)
      throw new Error(`the secret ${name} cannot be read; put it as file ${name} into the controller's --check-secrets`);
    return text;
  };
  return {
    secret,
    async prometheus(url, signal) {
      const bounds = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, signal };
      if (url !== undefined) return createPrometheusApi({ url, ...bounds });
      if (checksPrometheus === undefined)
        throw new Error("no Prometheus to ask; start controllers with --checks-prometheus URL, or name a url in the check");
      const token = checkSecrets === undefined ? undefined : await secretIn(checkSecrets, TOKEN);
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return createPrometheusApi({ url: checksPrometheus, headers, ...bounds });
    },
  };
}

/** Undefined where it is not there, or empty: an empty key would sign nothing. */
async function secretIn(folder: string, name: string): Promise<string | undefined> {
  try {
    const text = (await readFile(join(folder, name), "utf8")).trim();
    return text === "" ? undefined : text;
  } catch {
    // Said by the caller, where it is needed.
    return undefined;
  }
}
