import { access, constants, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { ProgramMissingError } from "../../src/contract/errors.ts";
import { runCommand } from "../../src/demo/run-command.ts";
import { unpackDebian } from "./debian.ts";

const PROBE_MS = 30_000;
const NAMES = ["chromium", "chromium-browser", "google-chrome"];
/** What a page needs beside the program: letters. */
const PACKAGES = ["chromium", "fonts-dejavu-core"];

/** Where to look. */
interface ChromiumOptions {
  /** The environment: CHROMIUM_BIN, PATH. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the unpacked program is kept. */
  readonly cacheDir: string;
}

/**
 * Finds Chromium for tests: by CHROMIUM_BIN, on the PATH, in the cache, and last out of Debian's packages, which are unpacked and not
 * installed. Throws ProgramMissingError with every way to put it right.
 */
export async function findChromium({ env, cacheDir }: ChromiumOptions): Promise<string> {
  const given = env["CHROMIUM_BIN"];
  if (given !== undefined && given !== "") {
    if (await isChromium(given)) return given;
    throw new ProgramMissingError(`CHROMIUM_BIN: ${given} is no Chromium that runs; let it name one, or unset it`);
  }
  const kept = join(cacheDir, `chromium-${process.platform}-${process.arch}`);
  const wrapper = join(kept, "serin-chromium");
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const path of [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), wrapper])
    if ((await isExecutable(path)) && (await isChromium(path))) return path;
  const problem = await unpackDebian({ names: PACKAGES, withNeeds: true, cacheDir, keep: { path: "", at: kept } });
  if (problem === undefined) await writeWrapper(wrapper, kept);
  if (problem === undefined && (await isChromium(wrapper))) return wrapper;
  throw new ProgramMissingError(waysToInstall(problem ?? `${wrapper} was unpacked and cannot be run`));
}

/** Starts what was unpacked with its own libraries and letters, where the machine has none. */
async function writeWrapper(wrapper: string, root: string): Promise<void> {
  const fonts = join(root, "fonts.conf");
  await writeFile(
    fonts,
    `<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig><dir>/usr/share/fonts</dir><dir>${root}/usr/share/fonts</dir><cachedir>${root}/fontcache</cachedir></fontconfig>\n`,
  );
  const script = [
    "#!/bin/sh",
    `for folder in "${root}"/usr/lib/*-linux-gnu "${root}"/usr/lib/*-linux-gnu/pulseaudio; do LD_LIBRARY_PATH="$folder\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"; done`,
    `export LD_LIBRARY_PATH FONTCONFIG_FILE="${fonts}"`,
    `exec "${root}/usr/lib/chromium/chromium" "$@"`,
  ];
  await writeFile(wrapper, `${script.join("\n")}\n`, { mode: 0o755 });
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

async function isChromium(path: string): Promise<boolean> {
  const { code, stdout } = await runCommand(path, ["--version"], PROBE_MS);
  return code === 0 && /Chrom(e|ium)/.test(stdout);
}

const waysToInstall = (problem: string): string =>
  [
    "tests of the page need Chromium, and there is none: not in CHROMIUM_BIN, not on the PATH, not in .cache/tools,",
    `and it could not be taken out of Debian's packages: ${problem}`,
    "Any one of these puts it right:",
    "  - install Chromium so that `chromium` is on the PATH (Debian: apt install chromium)",
    "  - set CHROMIUM_BIN to the path of the program, which may be Chrome",
    "  - run on Debian with a package source that apt reaches; then the packages are unpacked into .cache/tools, not installed",
  ].join("\n");
