import { type FSWatcher, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { UsageError } from "../contract/errors.ts";
import { type RuleSet, RuleSetSchema } from "../contract/rules.ts";
import type { Logger } from "../io/log.ts";
import type { CurrentRules } from "./current-rules.ts";

const POLL_MS = 2_000;

interface Parts {
  readonly rules: CurrentRules;
  readonly log: Logger;
}

/** Reads rules from a file and again whenever it changes; a bad file leaves the last good rules. Throws UsageError when the first read fails. */
export async function startFileSource(file: string, { rules, log }: Parts): Promise<() => void> {
  let text = "";
  const load = async (): Promise<void> => {
    const next = await readFile(file, "utf8");
    if (next === text) return;
    text = next;
    rules.replace(parseRuleSet(next));
    log.info({ file, revision: rules.ruleSet().revision }, "rules read");
  };
  const reload = async (): Promise<void> => {
    try {
      await load();
    } catch (error) {
      const problem = `${file}: ${messageOf(error)}`;
      if (rules.reject(problem)) log.error({ problem }, "rules refused, the last good ones stay");
      // A file that went away and comes back as it was is taken again, which ends the problem.
      if (!(error instanceof UnusableRulesError)) text = "";
    }
  };
  const changed = oneAtATime(reload);
  await load().catch((cause: unknown) => {
    throw new UsageError(`${file}: ${messageOf(cause)}; write one with \`serin rules -f ROLLOUT\``, { cause });
  });
  const watcher = watchDirectory(file, changed, log);
  const timer = setInterval(changed, POLL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    watcher?.close();
  };
}

/** The file was read and holds no rule set. */
class UnusableRulesError extends Error {
  override readonly name = "UnusableRulesError";
}

function parseRuleSet(text: string): RuleSet {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UnusableRulesError("not JSON", { cause });
  }
  const result = RuleSetSchema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${path.join(".") || "the whole"}: ${message}`);
  throw new UnusableRulesError(`not a rule set: ${faults.join(", ")}`);
}

/** Editors replace files, so the directory is watched; where that cannot be, the poll must do. */
function watchDirectory(file: string, changed: () => void, log: Logger): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(file), (_event, name) => {
      if (name === null || name === basename(file)) changed();
    });
    watcher.on("error", (error) => log.warn({ error }, "rules file cannot be watched, it is polled"));
    return watcher;
  } catch (error) {
    log.warn({ error }, "rules file cannot be watched, it is polled");
    return undefined;
  }
}

/** Runs a task again after it when it was asked for meanwhile, never twice at a time: an older read must not win. */
function oneAtATime(task: () => Promise<void>): () => void {
  let isRunning = false;
  let isWanted = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    while (isWanted) {
      isWanted = false;
      await task();
    }
    isRunning = false;
  };
  return () => {
    isWanted = true;
    if (!isRunning) void run();
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
