import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/io/package-root.ts";

/**
 * A digest of what the committed manifests are rendered from, so that CI, which has neither helm nor kustomize, sees that they are of yesterday.
 * Copies of dashboards and rules are left out: they change often, and `npm run check:deploy` compares them.
 */
export function chartDigest(): string {
  const hash = createHash("sha256");
  for (const folder of ["helm/serin", "kustomize", "istio", "envoy-gateway"].map((name) => join("deploy", name))) {
    const files = readdirSync(join(packageRoot(), folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !path.includes("/serin/files/") && !path.endsWith(".md"))
      .toSorted();
    for (const path of files) {
      const text = readFileSync(path);
      hash.update(`${path.slice(packageRoot().length)} ${text.length}\n`).update(text);
    }
  }
  return hash.digest("hex");
}
