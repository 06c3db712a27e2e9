import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { programCacheDir } from "../../src/demo/programs.ts";
import { unpackDebian } from "../support/debian.ts";
import { type ProgramResult, runIn } from "../support/package.ts";
import { serinOnPath } from "../support/serin-program.ts";

let folder: string;
let shells: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "serin-completion-"));
  shells = join(programCacheDir(), "shells");
  const packages = { names: ["zsh", "fish"], withNeeds: true, cacheDir: programCacheDir(), keep: { path: "", at: shells } } as const;
  expect(await unpackDebian(packages)).toBeUndefined();
  // Where fish looks when it does not lie where it was built for.
  await symlink(join(shells, "etc"), join(shells, "usr", "etc"));
  const libraries = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const paths = ["usr/lib", "lib"].map((path) => join(shells, path, libraries));
  env = { ...(await serinOnPath(folder)), TERM: "xterm", LD_LIBRARY_PATH: paths.join(":"), LIBRARIES: libraries, SHELLS: shells };
});
afterAll(() => rm(folder, { recursive: true }));

const inFish = (line: string): Promise<ProgramResult> => {
  const script = 'serin completion fish | source; complete -C "$argv[1]"';
  return runIn({ cwd: folder, env }, join(shells, "usr", "bin", "fish"), "--no-config", "-c", script, line);
};

test.each([
  { line: "serin sta", out: "status\tshow how things stand; exit 3 when the named rollout is rolled back\n" },
  { line: "serin watch cart --until ", out: "promoted\nended\n" },
  { line: "serin watch --until=e", out: "--until=ended\n" },
  { line: "serin lint -f b", out: "bin/\n" },
])("fish completes `$line`", async ({ line, out }) => {
  expect(await inFish(line)).toEqual({ code: 0, out, error: "" });
});

/** With zsh's own system of completion, but for the drawing of what is offered. */
const ZSH = String.raw`
module_path=($SHELLS/usr/lib/$LIBRARIES/zsh/$ZSH_VERSION)
fpath=($SHELLS/usr/share/zsh/functions/*(/))
autoload -U compinit && compinit -u -D
source <(serin completion zsh)
[[ $_comps[serin] == _serin ]] || exit 9
_describe() { print -rl -- "\${(@P)argv[-1]}" }
_files() { print files }
words=("$@") CURRENT=$#
_serin
`;

const inZsh = (...words: string[]): Promise<ProgramResult> =>
  runIn({ cwd: folder, env }, join(shells, "bin", "zsh"), "-f", "-c", ZSH.replaceAll("\\${", "${"), "zsh", ...words);

test.each([
  { words: ["serin", "sta"], out: "status:show how things stand; exit 3 when the named rollout is rolled back\n" },
  { words: ["serin", "apply", "--dr"], out: "--dry-run:only check; needs no controller\n" },
  { words: ["serin", "watch", "--until=e"], out: "--until=ended:\n" },
  { words: ["serin", "lint", "-f", ""], out: "files\n" },
])("zsh completes $words", async ({ words, out }) => {
  expect(await inZsh(...words)).toEqual({ code: 0, out, error: "" });
});
