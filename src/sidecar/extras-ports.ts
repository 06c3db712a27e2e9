import { METRICS } from "../contract/names.ts";
import { readIssuedCookies } from "../io/issued-cookies.ts";
import type { Logger } from "../io/log.ts";
import type { Counters } from "./counters.ts";
import { readDebugSecrets } from "./debug-secrets.ts";
import type { ExtrasPorts } from "./extras.ts";
import type { SidecarSettings } from "./options.ts";

/** Keys and secrets of a sidecar. */
export type Secrets = Pick<ExtrasPorts, "cookies" | "secrets">;

/** Neither: cookies of ours give no key, and nobody may ask why. */
export const NO_SECRETS: Secrets = { cookies: undefined, secrets: undefined };

/** Reads the files that the options name. Throws UsageError where one cannot be used. */
export async function readSecrets({ cookieKeyFile, debugSecretFile }: SidecarSettings): Promise<Secrets> {
  return {
    cookies: cookieKeyFile === undefined ? undefined : await readIssuedCookies(cookieKeyFile),
    secrets: debugSecretFile === undefined ? undefined : await readDebugSecrets(debugSecretFile),
  };
}

/** A client may leave before its answer; so many in a row do not. */
const MISSING_IN_A_ROW = 5;

/** Counts what happens, and says once what an operator must put right. */
export function extrasPorts(secrets: Secrets, counters: Counters, log: Logger): ExtrasPorts {
  const asked = counters.cell(METRICS.responsesAsked, {});
  const missing = counters.cell(METRICS.responsesMissing, {});
  let inARow = 0;
  let isKeySaid = false;
  let isModeSaid = false;
  return {
    ...secrets,
    issued: (instead) => void counters.add(METRICS.cookiesIssued, { instead }),
    keyMissing: () => {
      if (!isKeySaid) log.warn(NO_KEY);
      isKeySaid = true;
    },
    debugged: (isRight) => void counters.add(METRICS.debugRequests, { secret: isRight ? "right" : "wrong" }),
    responseAsked: () => void (asked.value += 1),
    responseEnded: (isSent) => {
      inARow = isSent ? 0 : inARow + 1;
      if (!isSent) missing.value += 1;
      if (inARow < MISSING_IN_A_ROW || isModeSaid) return;
      isModeSaid = true;
      log.warn(NO_RESPONSES);
    },
  };
}

const NO_KEY = "rules want an issued cookie as bucketing key, and there is no key to sign it; give all sidecars the same --cookie-key FILE";

const NO_RESPONSES =
  "Envoy does not send the headers of responses that it was asked for, so that no cookie is set and its user changes variant with each request; " +
  "in its ext_proc filter set allow_mode_override and allowed_override_modes as envoy/envoy.yaml has them";
