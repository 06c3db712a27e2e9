import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CommandResult, type RunCommand, runCommand } from "../../src/demo/run-command.ts";

/** Lists of packages and 120 MB over a slow line. */
const DOWNLOAD_MS = 600_000;

interface Packages {
  /** Names, those of apt. */
  readonly names: readonly string[];
  /** With what they depend on, as far as the machine lacks it, or all of it. */
  readonly withNeeds?: true | "all";
  /** Unpacked beside it first, and put where `keep` says in one step. */
  readonly cacheDir: string;
  /** Path inside the packages and where it is kept; the whole of them where that is empty. */
  readonly keep: Readonly<{ path: string; at: string }>;
  readonly run?: RunCommand;
}

/** Unpacks Debian's packages, which apt checks by signature and hash; nothing is installed. Answers with what went wrong. */
export async function unpackDebian({ run = runCommand, ...packages }: Packages): Promise<string | undefined> {
  const { cacheDir, keep } = packages;
  await mkdir(cacheDir, { recursive: true });
  const work = await mkdtemp(join(cacheDir, ".download-"));
  try {
    const got = await download(work, { ...packages, run });
    if (got.code !== 0) return `apt-get download ${packages.names.join(" ")} says: ${lastLine(got.stderr)}`;
    const debs = (await readdir(work)).filter((file) => file.endsWith(".deb"));
    if (debs.length === 0) return "apt-get left no package behind";
    for (const deb of debs) {
      const unpacked = await run("dpkg-deb", ["-x", join(work, deb), join(work, "root")], DOWNLOAD_MS);
      if (unpacked.code !== 0) return `dpkg-deb says: ${lastLine(unpacked.stderr)}`;
    }
    await mkdir(dirname(keep.at), { recursive: true });
    await rm(keep.at, { recursive: true, force: true });
    await rename(join(work, "root", keep.path), keep.at);
    return undefined;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

type Wanted = Pick<Packages, "names" | "withNeeds"> & { readonly run: RunCommand };

/** With the machine's lists of packages; where those are missing or old, with fresh ones of its own, which needs no rights. */
async function download(work: string, wanted: Wanted): Promise<CommandResult> {
  const first = await downloadBy(work, [], wanted);
  if (first.code === 0) return first;
  const own = ["-o", `Dir::State::Lists=${join(work, "lists")}`, "-o", `Dir::Cache=${join(work, "cache")}`];
  await mkdir(join(work, "lists", "partial"), { recursive: true });
  await mkdir(join(work, "cache", "archives", "partial"), { recursive: true });
  const update = await aptGet(work, [...own, "update"], wanted.run);
  return update.code === 0 ? await downloadBy(work, own, wanted) : update;
}

/** As in a shell, apt leaves packages where it runs. */
async function downloadBy(work: string, options: readonly string[], { names, withNeeds, run }: Wanted): Promise<CommandResult> {
  if (withNeeds === undefined) return aptGet(work, [...options, "download", ...names], run);
  const nothing = withNeeds === "all" ? ["-o", "Dir::State::status=/dev/null"] : [];
  const planned = await aptGet(work, [...options, ...nothing, "--simulate", "--no-install-recommends", "install", ...names], run);
  if (planned.code !== 0) return planned;
  const needed = [...planned.stdout.matchAll(/^Inst (\S+)/gm)].map(([, name = ""]) => name);
  return aptGet(work, [...options, "download", ...new Set([...names, ...needed])], run);
}

const aptGet = (work: string, args: readonly string[], run: RunCommand): Promise<CommandResult> =>
  run("sh", ["-c", 'cd "$0" && exec apt-get -q "$@"', work, ...args], DOWNLOAD_MS);

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
