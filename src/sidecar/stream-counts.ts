import { METRICS } from "../contract/names.ts";
import type { Logger } from "../io/log.ts";
import { type Reading, reading } from "../io/metric-points.ts";
import type { Counters } from "./counters.ts";
import type { ExtProcPorts } from "./ext-proc.ts";

const RESETS =
  "Envoy ends its streams by reset, which costs both sides for each request; " +
  "from Envoy 1.40 on, set the static runtime flag envoy.reloadable_features.ext_proc_graceful_grpc_close to true";

/** So many resets say something about Envoy's configuration, where they end nearly all streams. Some come by any: late decisions, users who left. */
const MANY_RESETS = 1_000;
const NEARLY_ALL = 0.9;

/** Counts external processing streams, and says once that resets are the rule. */
export function countStreams(
  counters: Counters,
  log: Logger,
): Pick<ExtProcPorts, "streamBegun" | "streamClosed"> & { readings(): Reading[] } {
  const begun = counters.cell(METRICS.streams, {});
  const resets = counters.cell(METRICS.streamResets, {});
  let closed = 0;
  let isSaid = false;
  const reset = (): void => {
    resets.value += 1;
    if (isSaid || resets.value % MANY_RESETS !== 0 || resets.value < NEARLY_ALL * begun.value) return;
    isSaid = true;
    log.warn({ resets: resets.value, streams: begun.value }, RESETS);
  };
  return {
    streamBegun: () => void (begun.value += 1),
    streamClosed(isReset) {
      closed += 1;
      if (isReset) reset();
    },
    readings: () => [reading(METRICS.streamsOpen, begun.value - closed)],
  };
}
