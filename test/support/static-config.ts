import { addressOf } from "../../src/demo/envoy-config.ts";

/** Fields of a cluster with one endpoint, `HOST:PORT` or `unix:PATH`. */
export const endpointsAt = (name: string, place: string): object => ({
  type: "STATIC",
  load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: addressOf(place) } }] }] },
});

/** A configuration of Envoy that asks no control plane, on ports that the system chooses. */
export const staticConfig = (listener: object, clusters: readonly object[]): object => ({
  node: { id: "edge", cluster: "edge" },
  admin: { address: addressOf("127.0.0.1:0") },
  static_resources: { listeners: [{ name: "users", ...listener, address: addressOf("127.0.0.1:0") }], clusters },
});
