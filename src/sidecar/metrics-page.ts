import { type HttpPorts, startHttp } from "../io/http.ts";
import type { Telemetry } from "../io/telemetry.ts";

/** Metrics, /healthz and /readyz by HTTP, of which the metrics come last. */
export interface MetricsPage {
  /** `http://host:port`. */
  readonly url: string;
  /** From now on scrapes are answered, those that wait too. */
  show(telemetry: Pick<Telemetry, "serve">): void;
  /** Ends scrapes that wait as well. */
  stop(): Promise<void>;
}

/** Takes the address at once and lets scrapes wait: what answers them is loaded only later. Throws when the address cannot be used. */
export async function bindMetricsPage(address: string, readiness: HttpPorts["readiness"]): Promise<MetricsPage> {
  let show: MetricsPage["show"] = () => undefined;
  const shown = new Promise<Pick<Telemetry, "serve">>((resolve) => {
    show = resolve;
  });
  const http = await startHttp(address, {
    metrics: (request, response) => void shown.then((telemetry) => telemetry.serve(request, response)),
    readiness,
  });
  return { ...http, show };
}
