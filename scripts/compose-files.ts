import { join } from "node:path";
import { followed, type Replacements } from "./followed.ts";

const ENVOY: Replacements = [
  ["address: 127.0.0.1, port_value: 9901", "address: 0.0.0.0, port_value: 9901"],
  [
    "      # 0.0.0.0 to serve other machines.\n      address: { socket_address: { address: 127.0.0.1,",
    "      address: { socket_address: { address: 0.0.0.0,",
  ],
  ["    - name: stable\n      type: STATIC\n", "    - name: stable\n      type: STRICT_DNS\n"],
  ["address: 127.0.0.1, port_value: 8081", "address: stable, port_value: 8080"],
  ["    - name: canary\n      type: STATIC\n", "    - name: canary\n      type: STRICT_DNS\n"],
  ["address: 127.0.0.1, port_value: 8082", "address: canary, port_value: 8080"],
  [
    "    # The sidecars. One socket for each process: Node removes the path when it closes, so two processes in turn on one path\n    # would lose it. A Unix socket's path has at most 107 bytes.\n    - name: serin\n      type: STATIC\n",
    "    # The sidecars.\n    - name: serin\n      type: STRICT_DNS\n",
  ],
  ["pipe: { path: run/serin-0.sock }", "socket_address: { address: sidecar-0, port_value: 9000 }"],
  ["pipe: { path: run/serin-1.sock }", "socket_address: { address: sidecar-1, port_value: 9000 }"],
];

const PROMETHEUS: Replacements = [
  ['["127.0.0.1:9464", "127.0.0.1:9465"]', '["sidecar-0:9464", "sidecar-1:9464"]'],
  ["  # `serin controller --http 127.0.0.1:9470`\n", ""],
  ["127.0.0.1:9470", "controller:9464"],
  ["127.0.0.1:9901", "envoy:9901"],
];

const DATA_SOURCE: Replacements = [["http://127.0.0.1:9090", "http://prometheus:9090"]];

const FILES: readonly (readonly [path: string, source: string, replacements: Replacements])[] = [
  ["envoy.yaml", "envoy/envoy.yaml", ENVOY],
  ["prometheus.yaml", "deploy/prometheus/prometheus.yaml", PROMETHEUS],
  ["datasources.yaml", "deploy/grafana/provisioning/datasources/serin.yaml", DATA_SOURCE],
];

/** Configurations for deploy/compose: those that Serin ships, with the addresses of its services; path → text. */
export const composeFiles = (): Record<string, string> =>
  Object.fromEntries(
    FILES.map(([path, source, replacements]) => [join("deploy", "compose", path), followed(source, replacements)] as const),
  );
