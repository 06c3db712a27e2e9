import { join } from "node:path";
import { runCommand } from "../../../src/demo/run-command.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { findGo, goBuild } from "../../support/go.ts";

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

/** Builds the programs into the project's cache; the Go tool decides what is new. Throws when there is no Go, or it refuses. */
export async function buildGoPrograms(): Promise<GoPrograms> {
  const { go, version } = await findGo();
  const source = join(packageRoot(), "test", "bench", "wire", "go");
  const target = join(packageRoot(), ".cache", "bench");
  const names = ["twin", "load", "upstream"] as const;
  await goBuild(
    source,
    target,
    names.map((name) => `./${name}`),
  );
  const listed = await runCommand(go, ["-C", source, "list", "-m", "-f", "{{.Version}}", "google.golang.org/grpc"], 60_000);
  const [twin, load, upstream] = [join(target, "twin"), join(target, "load"), join(target, "upstream")];
  return { twin, load, upstream, version, grpcVersion: `grpc-go ${listed.stdout.trim().replace(/^v/, "")}` };
}
