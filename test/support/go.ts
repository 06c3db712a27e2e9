import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";

/** The largest of these tools takes ten minutes of one core. */
const BUILD_MS = 1_500_000;

/** By GO_BIN, on the PATH, or where Go's own installer puts it. */
export async function findGo(): Promise<{ go: string; version: string }> {
  const given = process.env["GO_BIN"];
  for (const go of given === undefined || given === "" ? ["go", "/usr/local/go/bin/go"] : [given]) {
    const { code, stdout } = await runCommand(go, ["version"], 10_000);
    const version = /go(\d+\.\d+(\.\d+)?)/.exec(stdout)?.[1];
    if (code === 0 && version !== undefined) return { go, version: `Go ${version}` };
  }
  throw new Error("there is no Go: install it so that `go` is on the PATH, or set GO_BIN to its path");
}

/** A program that somebody publishes as a Go module. */
export interface GoTool {
  /** The last element of its package's path, which `go install` makes the program's name. */
  readonly name: string;
  readonly package: string;
  /** Exact, like `v3.22.0`: Go's checksum database vouches for what it names. */
  readonly version: string;
}

/** Istio's tags are no versions for Go; this is its state of 2026-08-27, which calls itself 1.31. */
export const ISTIOCTL: GoTool = {
  name: "istioctl",
  package: "istio.io/istio/istioctl/cmd/istioctl",
  version: "v0.0.0-20260827124520-eed52ebb66ad",
};

export const HELM: GoTool = { name: "helm", package: "helm.sh/helm/v3/cmd/helm", version: "v3.22.0" };

export const EGCTL: GoTool = { name: "egctl", package: "github.com/envoyproxy/gateway/cmd/egctl", version: "v1.9.1" };

/** Path of the tool, built into the project's cache at first. Throws when there is no Go, or it refuses. */
export async function goTool({ name, package: path, version }: GoTool): Promise<string> {
  const folder = join(packageRoot(), ".cache", "tools", `${name}-${version}`);
  const program = join(folder, name);
  if (await exists(program)) return program;
  const { go } = await findGo();
  await mkdir(folder, { recursive: true });
  const built = await runCommand("env", [`GOBIN=${folder}`, "GOFLAGS=", go, "install", `${path}@${version}`], BUILD_MS);
  if (built.code !== 0) throw new Error(`go install ${path}@${version}: ${built.stderr.trim()}`);
  return program;
}

/** The folder of the module that a tool is built of. */
export async function sourcesOf({ package: path, version }: GoTool, module: string): Promise<string> {
  if (!path.startsWith(`${module}/`)) throw new Error(`${path} is no package of ${module}`);
  const { go } = await findGo();
  const { code, stdout, stderr } = await runCommand(go, ["mod", "download", "-json", `${module}@${version}`], BUILD_MS);
  const { Dir, Error: problem }: { Dir?: string; Error?: string } = JSON.parse(stdout === "" ? "{}" : stdout);
  if (code !== 0 || Dir === undefined) throw new Error(`go mod download ${module}@${version}: ${problem ?? stderr}`);
  return Dir;
}

/** Builds packages of a Go module of this project into a folder of its cache; Go itself decides what is new. `stamp` is for the linker. */
export async function goBuild(module: string, into: string, packages: readonly string[], stamp = ""): Promise<void> {
  const { go } = await findGo();
  // With -C before all else; -mod=readonly is Go's default, so go.sum decides.
  const built = await runCommand(go, ["-C", module, "build", "-trimpath", "-ldflags", stamp, "-o", `${into}/`, ...packages], BUILD_MS);
  if (built.code !== 0) throw new Error(`go build: ${built.stderr.trim()}`);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
