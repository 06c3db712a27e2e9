import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../src/io/package-root.ts";

/** What replaces what, in order; each must be found exactly once. */
type Replacements = readonly (readonly [before: string, after: string])[];

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

function followed(source: string, replacements: Replacements): string {
  const shipped = readFileSync(join(packageRoot(), source), "utf8");
  const text = replacements.reduce((before, [what, by]) => replaceOnce(before, what, by), withoutHead(shipped));
  return `# Made by \`npm run docs\` from ${source}; do not edit.\n${text}`;
}

/** Without the comment at the top, which says how the shipped file is used. */
const withoutHead = (text: string): string => text.replace(/^(#.*\n)+/, "");

/** Throws where what is to be replaced does not stand there once: then the shipped file has changed, and the list above must follow. */
function replaceOnce(text: string, what: string, by: string): string {
  const parts = text.split(what);
  if (parts.length !== 2)
    throw new Error(`scripts/compose-files.ts: ${JSON.stringify(what)} stands ${parts.length - 1} times; it must stand once`);
  return parts.join(by);
}
