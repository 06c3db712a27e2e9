import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { runCommand } from "../../src/demo/run-command.ts";

/** `npm ci` and a build, on a machine that has other work. */
const BUILD_MS = 1_200_000;

/** Builds images without a daemon, in a store of its own that goes when it is closed. */
export interface Buildah {
  /** Runs one command of buildah; answers with what it printed. Throws with what it complained of. */
  run(...args: readonly string[]): Promise<string>;
  /** Makes an image of the folder's files and nothing else, with these variables. */
  baseOf(name: string, folder: string, env?: Readonly<Record<string, string>>): Promise<void>;
  /** A folder for bases, which goes with the store. */
  folder(name: string): string;
  close(): Promise<void>;
}

/** Opens it. Throws where there is no buildah, with the way to get it. */
export async function openBuildah(): Promise<Buildah> {
  const { code } = await runCommand("buildah", ["--version"], 10_000);
  if (code !== 0) throw new Error("there is no buildah: install it (Debian: apt-get install buildah), as root or with a user namespace");
  const directory = mkdtempSync(join(tmpdir(), "serin-images-"));
  // vfs works on every file system; the images are small.
  const store = ["--root", join(directory, "root"), "--runroot", join(directory, "run"), "--storage-driver", "vfs"];
  const run = async (...args: readonly string[]): Promise<string> => {
    const done = await runCommand("buildah", [...store, ...args], BUILD_MS);
    if (done.code !== 0) throw new Error(`buildah ${args.join(" ")}: ${done.stdout.slice(-4_000)}${done.stderr.slice(-4_000)}`);
    return done.stdout.trim();
  };
  return {
    run,
    async baseOf(name, folder, env = {}) {
      const lines = Object.entries(env).map(([key, value]) => `ENV ${key}=${JSON.stringify(value)}`);
      const file = join(directory, `${name}.Dockerfile`);
      writeFileSync(file, ["FROM scratch", "COPY . /", ...lines, ""].join("\n"));
      await run("build", "--quiet", "--isolation", "chroot", "--tag", name, "--file", file, folder);
    },
    folder: (name) => {
      mkdirSync(join(directory, name), { recursive: true });
      return join(directory, name);
    },
    async close() {
      await run("rm", "--all");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Puts a program of this machine, with the libraries that it loads, into a root; they stay at their paths. */
export async function putProgram(root: string, at: string, program: string): Promise<void> {
  const { stdout } = await runCommand("ldd", [program], 10_000);
  const libraries = [...stdout.matchAll(/(?:^\s+|=> )(\/\S+) \(/gm)].map(([, path = ""]) => path);
  for (const [to, from] of [[at, program] as const, ...libraries.map((path) => [path, path] as const)]) put(join(root, to), from);
}

function put(to: string, from: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(realpathSync(from), to);
}

/** A root with what the first stage needs: Node, npm, a shell, and whom this machine trusts. */
export async function putBuildTools(root: string): Promise<Record<string, string>> {
  const found = await runCommand(
    "sh",
    ["-c", "for name in sh env mkdir; do command -v $name; done; npm root --global; npm config get registry"],
    20_000,
  );
  const [sh = "", env = "", mkdir = "", modules = "", registry = ""] = found.stdout.trim().split("\n");
  await putProgram(root, "/usr/bin/node", process.execPath);
  for (const [at, program] of [
    ["/bin/sh", sh],
    ["/usr/bin/env", env],
    ["/bin/mkdir", mkdir],
  ] as const)
    await putProgram(root, at, program);
  cpSync(join(modules, "npm"), join(root, "usr/lib/node_modules/npm"), { recursive: true, dereference: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/bin/npm"));
  mkdirSync(join(root, "tmp"));
  const trusted = process.env["NODE_EXTRA_CA_CERTS"];
  if (trusted !== undefined) put(join(root, "etc/trusted.crt"), trusted);
  return {
    PATH: "/usr/bin:/bin",
    npm_config_registry: registry,
    ...(trusted !== undefined && { NODE_EXTRA_CA_CERTS: "/etc/trusted.crt" }),
  };
}
