import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../../src/io/package-root.ts";

/** Packages that are loaded along with these files: by their imports, the imports of these and so on, but those at run time. */
function packagesOf(entries: readonly string[]): string[] {
  const files = new Set(entries.map((entry) => join(packageRoot(), "src", entry)));
  const packages = new Set<string>();
  for (const file of files) {
    for (const [, from = ""] of readFileSync(file, "utf8").matchAll(/^(?:import|export)\s(?!type\s)(?:[^"';]*\sfrom\s)?"([^"]+)"/gm)) {
      if (from.startsWith(".")) files.add(join(dirname(file), from));
      else if (!from.startsWith("node:")) packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from);
    }
  }
  return [...packages].toSorted();
}

const COMMAND_LINE = ["bin/serin.ts"];

test("the command line is there before anything that a verb needs", () => {
  expect(packagesOf(COMMAND_LINE)).toEqual(["commander"]);
});

test("a sidecar serves before it has loaded NATS or OpenTelemetry", () => {
  const sidecar = [...COMMAND_LINE, "cli/run-parts.ts", "io/log.ts", "sidecar/sidecar.ts"];
  expect(packagesOf(sidecar)).toEqual(["commander", "ipaddr.js", "pino", "re2js", "semver", "zod"]);
});

test("one of several sidecars does so too", () => {
  const worker = [...COMMAND_LINE, "bin/worker-processes.ts", "io/log.ts", "sidecar/sidecar.ts", "sidecar/workers/worker.ts"];
  expect(packagesOf(worker)).toEqual(["commander", "ipaddr.js", "pino", "re2js", "semver", "zod"]);
});

test("a controller loads the client of Kubernetes only where it is asked for", () => {
  const controller = [...COMMAND_LINE, "cli/run-parts.ts", "io/log.ts", "controller/controller.ts", "controller/options.ts"];
  expect(packagesOf(controller).filter((name) => name.includes("kubernetes"))).toEqual([]);
  expect(packagesOf([...controller, "controller/kubernetes/kubernetes.ts"])).toContain("@kubernetes/client-node");
});
