import { mkdir, readFile, rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type RuleSet, RuleSetSchema } from "../contract/rules.ts";

/** Rules found on disk, with the time since the last beat that was heard while they were in force. */
export interface RulesOnDisk {
  readonly ruleSet: RuleSet;
  readonly beatAgeMs: number;
}

/** The last good rules on disk; the file's time is that of the last beat, so that a restart does not make an old beat young. */
export interface RulesDisk {
  /** Undefined when there is none. Throws when it cannot be read as a rule set. */
  load(nowMs: number): Promise<RulesOnDisk | undefined>;
  /** Writes whole, then renames; writes that overlap are joined and the newest wins. */
  save(ruleSet: RuleSet): Promise<void>;
  touch(beatAtMs: number): Promise<void>;
}

/** Keeps rules in `directory/rules.json`. */
export function createRulesDisk(directory: string): RulesDisk {
  const path = join(directory, "rules.json");
  let waiting: RuleSet | undefined;
  let writing: Promise<void> | undefined;
  const write = async (): Promise<void> => {
    await mkdir(directory, { recursive: true });
    while (waiting !== undefined) {
      const text = JSON.stringify(waiting);
      waiting = undefined;
      await writeFile(`${path}.next`, text);
      await rename(`${path}.next`, path);
    }
  };
  return {
    async load(nowMs) {
      let text: string;
      try {
        text = await readFile(path, "utf8");
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
      const { mtimeMs } = await stat(path);
      return { ruleSet: RuleSetSchema.parse(JSON.parse(text)), beatAgeMs: Math.max(0, nowMs - mtimeMs) };
    },
    save(ruleSet) {
      waiting = ruleSet;
      writing ??= write().finally(() => {
        writing = undefined;
      });
      return writing;
    },
    async touch(beatAtMs) {
      await writing;
      try {
        await utimes(path, beatAtMs / 1_000, beatAtMs / 1_000);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";
