const NO_GRPC = "no upstream speaks gRPC";
const NO_FAULT = "nothing surprises";
const NOT_ASKED = "no rollout issues cookies, no request asks to be explained";
const NOT_ALONE = "checks may be sure together of harm that none of them is sure of alone, and then none has a lower bound";
const NO_WORKERS = "sidecars run without `--workers`";

/** Queries that may find nothing in the test, by `dashboard / panel / line`, each with the reason. */
export const MAY_BE_EMPTY: Readonly<Record<string, string>> = {
  "serin-rollout / $check: value and threshold / lower": NOT_ALONE,
  "serin-rollout / gRPC status / {{variant}} {{grpc_status}}": NO_GRPC,
  "serin-sidecar / Surprises / {{kind}}": NO_FAULT,
  "serin-sidecar / Cookies / instead of {{instead}}": NOT_ASKED,
  "serin-sidecar / Requests for an explanation / {{secret}}": NOT_ASKED,
  "serin-sidecar / Workers / serve": NO_WORKERS,
  "serin-sidecar / Workers / restarted": NO_WORKERS,
  "serin-sidecar / Workers / did not answer": NO_WORKERS,
};
