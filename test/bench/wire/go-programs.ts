import { join } from "node:path";
import process from "node:process";
import { runCommand } from "../../../src/demo/run-command.ts";
import { packageRoot } from "../../../src/io/package-root.ts";

/** Programs of test/bench/wire/go, and the Go that built them. */
export interface GoPrograms {
  readonly twin: string;
  readonly load: string;
  readonly upstream: string;
  /** Like `Go 1.26.8`. */
  readonly version: string;
  /** Version of the gRPC library in the twin, like `grpc-go 1.85.0`. */
  readonly grpcVersion: string;
}

/** The first build fetches modules and compiles them. */
const BUILD_MS = 600_000;

/** Builds the programs into the project's cache; the Go tool decides what is new. Throws when there is no Go, or it refuses. */
export async function buildGoPrograms(): Promise<GoPrograms> {
  const { go, version } = await findGo();
  const source = join(packageRoot(), "test", "bench", "wire", "go");
  const target = join(packageRoot(), ".cache", "bench");
  const names = ["twin", "load", "upstream"] as const;
  const packages = names.map((name) => `./${name}`);
  // With -C before all else; -mod=readonly is Go's default, so go.sum decides.
  const built = await runCommand(go, ["-C", source, "build", "-trimpath", "-o", `${target}/`, ...packages], BUILD_MS);
  if (built.code !== 0) throw new Error(`go build: ${built.stderr.trim()}`);
  const listed = await runCommand(go, ["-C", source, "list", "-m", "-f", "{{.Version}}", "google.golang.org/grpc"], 60_000);
  const [twin, load, upstream] = [join(target, "twin"), join(target, "load"), join(target, "upstream")];
  return { twin, load, upstream, version, grpcVersion: `grpc-go ${listed.stdout.trim().replace(/^v/, "")}` };
}

/** By GO_BIN, on the PATH, or where Go's own installer puts it. */
async function findGo(): Promise<{ go: string; version: string }> {
  const given = process.env["GO_BIN"];
  for (const go of given === undefined || given === "" ? ["go", "/usr/local/go/bin/go"] : [given]) {
    const { code, stdout } = await runCommand(go, ["version"], 10_000);
    const version = /go(\d+\.\d+(\.\d+)?)/.exec(stdout)?.[1];
    if (code === 0 && version !== undefined) return { go, version: `Go ${version}` };
  }
  throw new Error("there is no Go: install it so that `go` is on the PATH, or set GO_BIN to its path");
}
