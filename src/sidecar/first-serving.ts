import type { Logger } from "../io/log.ts";
import type { SidecarSettings } from "./options.ts";
import type { SidecarState } from "./sidecar-state.ts";

/** Far above the time to connect; after it a sidecar that stands alone helps more than one that is silent. */
const GRACE_MS = 3_000;

/** The first time that a sidecar says that it serves. */
export interface FirstServing {
  /** NATS has told rules and beat, as far as it has any. */
  told(): void;
  stop(): void;
}

/**
 * Says so at once, but where rules on disk are so old that shares would go home before NATS can tell: then once NATS has told, at the
 * latest after the grace. Meanwhile Envoy asks other sidecars, who know (decision 0007).
 */
export function serveWhenSure(state: SidecarState, { unwatchedAfterMs }: SidecarSettings, log: Logger): FirstServing {
  const { health, rules, beat, standing } = state;
  const serve = (): void => {
    health.set(true);
    log.info({ revision: rules.ruleSet().revision }, "serving");
  };
  const beatAgeMs = beat.ageMs();
  const graceMs = Math.min(GRACE_MS, unwatchedAfterMs);
  if (beatAgeMs === undefined || beatAgeMs + graceMs <= unwatchedAfterMs) {
    serve();
    return { told: () => undefined, stop: () => undefined };
  }
  log.warn({ beatAgeMs, graceMs }, "rules on disk are old; not ready until NATS tells, or the grace is over");
  let timer: NodeJS.Timeout | undefined = setTimeout(() => {
    timer = undefined;
    serve();
  }, graceMs);
  return {
    told() {
      if (timer === undefined || standing() === "unwatched") return;
      clearTimeout(timer);
      timer = undefined;
      // Not only at the next look at the beat: the first request is decided by what NATS told.
      rules.setUnwatched(false);
      serve();
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
