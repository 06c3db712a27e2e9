import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { packageRoot } from "../../src/io/package-root.ts";

/** An environment in which `serin` is the build of this checkout, by a file in the folder. */
export async function serinOnPath(folder: string): Promise<Record<string, string>> {
  const program = join(folder, "bin", "serin");
  await mkdir(join(folder, "bin"));
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${join(packageRoot(), "dist", "bin", "serin.js")}" "$@"\n`);
  await chmod(program, 0o755);
  return { PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter), HOME: folder };
}
