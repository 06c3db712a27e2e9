import { followed, type Replacements } from "../followed.ts";

/** What differs in a pod with a sidecar beside Envoy; each stands in the shipped file once. */
const CHANGES: Replacements = [
  [
    "      # 0.0.0.0 to serve other machines.\n      address: { socket_address: { address: 127.0.0.1,",
    "      address: { socket_address: { address: 0.0.0.0,",
  ],
  ["    - name: stable\n      type: STATIC\n", "    - name: stable\n      type: STRICT_DNS\n"],
  ["address: 127.0.0.1, port_value: 8081", "address: shop-stable.shop.svc.cluster.local, port_value: 80"],
  ["    - name: canary\n      type: STATIC\n", "    - name: canary\n      type: STRICT_DNS\n"],
  ["address: 127.0.0.1, port_value: 8082", "address: shop-canary.shop.svc.cluster.local, port_value: 80"],
  ["run/serin-0.sock", "/run/serin/serin-0.sock"],
  ["              - endpoint: { address: { pipe: { path: run/serin-1.sock } } }\n", ""],
];

/** The plain Envoy's configuration in deploy/kustomize, by path. */
export const overlayFiles = (): Readonly<Record<string, string>> => ({
  "deploy/kustomize/overlays/envoy/envoy.yaml": followed("envoy/envoy.yaml", CHANGES),
});
