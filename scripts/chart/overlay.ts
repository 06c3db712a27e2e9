import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/io/package-root.ts";

const SOURCE = "envoy/envoy.yaml";

/** What differs in a pod with a sidecar beside Envoy; each stands in the shipped file once. */
const CHANGES: readonly (readonly [before: string, after: string])[] = [
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

/** The plain Envoy's configuration in deploy/kustomize, by path. Throws where the shipped one has changed so that a change no longer fits. */
export function overlayFiles(): Readonly<Record<string, string>> {
  const shipped = readFileSync(join(packageRoot(), SOURCE), "utf8").replace(/^(#.*\n)+/, "");
  const text = CHANGES.reduce((before, [what, by]) => {
    const parts = before.split(what);
    if (parts.length !== 2)
      throw new Error(
        `scripts/chart/overlay.ts: ${JSON.stringify(what)} stands in ${SOURCE} ${parts.length - 1} times; change the list of changes`,
      );
    return parts.join(by);
  }, shipped);
  return { "deploy/kustomize/overlays/envoy/envoy.yaml": `# Made by \`npm run docs\` from ${SOURCE}; do not edit.\n${text}` };
}
