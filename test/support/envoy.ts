import { inject } from "vitest";
import * as demo from "../../src/demo/envoy.ts";

export { FAILED_OPEN_STAT, type RunningEnvoy } from "../../src/demo/envoy.ts";

/** Before Envoy's counters of entries of the log, `logs_written` and `logs_dropped`. */
export const LOGS_STAT = "access_logs.open_telemetry_access_log.serin";

/** A real Envoy with the shipped configuration, on ports that the system chooses. */
export const startEnvoy = (options: Omit<demo.EnvoyOptions, "program">): Promise<demo.RunningEnvoy> =>
  demo.startEnvoy({ program: inject("envoyProgram"), ...options });
