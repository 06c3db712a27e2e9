import { watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { RuleSetSchema } from "../contract/rules.ts";
import type { Logger } from "../io/log.ts";
import type { CurrentRules } from "./current-rules.ts";

const POLL_MS = 2_000;

/** Reads rules from a file and again whenever it changes; a bad file leaves the last good rules. Throws when the first read fails. */
export async function startFileSource(file: string, { rules, log }: { rules: CurrentRules; log: Logger }): Promise<() => void> {
  let text = "";
  const load = async (): Promise<void> => {
    const next = await readFile(file, "utf8");
    if (next === text) return;
    text = next;
    rules.replace(RuleSetSchema.parse(JSON.parse(next)));
    log.info({ file, revision: rules.ruleSet().revision }, "rules read");
  };
  const reload = (): void => {
    load().catch((error: unknown) => {
      const problem = `${file}: ${error instanceof Error ? error.message : String(error)}`;
      if (rules.reject(problem)) log.error({ problem }, "rules refused, the last good ones stay");
    });
  };
  await load();
  // Editors replace files, so the directory is watched; some file systems tell nothing, so it is polled as well.
  const watcher = watch(dirname(file), (_event, name) => {
    if (name === null || name === basename(file)) reload();
  });
  watcher.on("error", (error) => log.warn({ error }, "rules file cannot be watched, it is polled"));
  const timer = setInterval(reload, POLL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    watcher.close();
  };
}
