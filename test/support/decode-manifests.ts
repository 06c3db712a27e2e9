import { join } from "node:path";
import { type CommandResult, runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { goBuild } from "./go.ts";

const DECODE_MS = 60_000;

/** Decodes files of manifests strictly, by test/deploy/go/decode, but objects of the API groups that are skipped. */
export async function decodeManifests(files: readonly string[], skip: readonly string[] = []): Promise<CommandResult> {
  const tools = join(packageRoot(), ".cache", "tools");
  await goBuild(join(packageRoot(), "test", "deploy", "go", "decode"), tools, ["."]);
  return runCommand(join(tools, "decode"), ["-skip", skip.join(","), ...files], DECODE_MS);
}
