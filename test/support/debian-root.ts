import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/io/package-root.ts";
import { unpackDebian } from "./debian.ts";

/** What a host has, as far as our commands and units use it; the libraries of Node are the last two. */
const PACKAGES = [
  ...["base-files", "base-passwd", "bash", "coreutils", "curl", "dash", "findutils", "grep", "libc-bin", "openssl", "passwd", "procps"],
  ...["sed", "systemd", "util-linux", "libstdc++6", "libatomic1"],
];

/** Units that a person's machine needs, and the kernel's own settings. */
const MASKED = ["console-getty.service", "getty.target", "systemd-logind.service", "systemd-sysctl.service"];

/** Path of a root in which systemd can be the first process, of Debian's packages, in the project's cache. Throws when apt brings none. */
export async function debianRoot(): Promise<string> {
  const cacheDir = join(packageRoot(), ".cache", "tools");
  const at = join(cacheDir, "debian-root");
  const machineId = join(at, "etc", "machine-id");
  if (existsSync(machineId)) return at;
  const problem = await unpackDebian({ names: PACKAGES, withNeeds: "all", cacheDir, keep: { path: "", at } });
  if (problem !== undefined)
    throw new Error(`no root of Debian's packages: ${problem}; it needs apt, and a package source that it reaches`);
  // Nothing ran their scripts; this is what we need of those.
  for (const name of ["bin", "lib", "lib64", "sbin"]) mergeIntoUsr(at, name);
  if (!existsSync(join(at, "usr/bin/sh"))) symlinkSync("dash", join(at, "usr/bin/sh"));
  for (const name of ["passwd", "group"]) cpSync(join(at, "usr/share/base-passwd", `${name}.master`), join(at, "etc", name));
  rmSync(join(at, "var/run"), { recursive: true, force: true });
  symlinkSync("/run", join(at, "var/run"));
  for (const name of MASKED) symlinkSync("/dev/null", join(at, "etc/systemd/system", name));
  symlinkSync("/lib/systemd/system/multi-user.target", join(at, "etc/systemd/system/default.target"));
  // Without one, systemd would take this for a first boot; written last, as it tells that all is done.
  writeFileSync(machineId, "5e7150000000400080000000000c0ffe\n");
  return at;
}

/** Packages may hold `/bin/x` or `/usr/bin/x`; on a host both are the same file. */
function mergeIntoUsr(root: string, name: string): void {
  const [from, to] = [join(root, name), join(root, "usr", name)];
  mkdirSync(to, { recursive: true });
  if (existsSync(from)) cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  rmSync(from, { recursive: true, force: true });
  symlinkSync(`usr/${name}`, from);
}
