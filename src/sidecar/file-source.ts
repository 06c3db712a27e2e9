import { type FSWatcher, watch } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { UsageError } from "../contract/errors.ts";
import { type CompiledSegment, compileSegment, type Segments } from "../core/decide/segments.ts";
import { compileStatics, createSharedParts } from "../core/decide/statics.ts";
import { type Entries, fileSource } from "../io/entry-reader.ts";
import type { Logger } from "../io/log.ts";
import { RulesTextError, readRuleSetText } from "../io/rules-text.ts";
import type { CurrentRules } from "./current-rules.ts";

const POLL_MS = 2_000;

interface Parts {
  readonly rules: CurrentRules;
  readonly log: Logger;
}

/** Reads rules from a file and again whenever it changes; a bad file leaves the last good rules. Throws UsageError when the first read fails. */
export async function startFileSource(file: string, { rules, log }: Parts): Promise<() => void> {
  /** Which state of the file was read last, as far as its size and times tell. */
  let seen: string | undefined;
  /** What of it is in force: fingerprints by name. */
  let known: ReadonlyMap<string, string> | undefined;
  let segments: FileSegments = { fingerprints: new Map(), inForce: new Map() };
  const shared = createSharedParts();
  const load = async (): Promise<void> => {
    const handle = await open(file);
    try {
      seen = await stampOf(file);
      const read = await readRuleSetText(fileSource(handle), {
        known: known ?? new Map(),
        compile: ({ rules, live }) => ({ statics: compileStatics(rules, shared), live }),
        segments: { known: segments.fingerprints, compile: compileSegment },
      });
      const nextSegments = segmentsAfter(segments, read.segments);
      const removed = [...(known?.keys() ?? [])].filter((name) => !read.fingerprints.has(name));
      const isSame =
        known !== undefined &&
        removed.length === 0 &&
        read.changed.size === 0 &&
        nextSegments === segments &&
        read.revision === rules.ruleSet().revision;
      if (isSame && read.epoch === rules.ruleSet().epoch && rules.rejected().problem === undefined) return;
      rules.replace({ ...read, removed, segments: nextSegments.inForce });
      known = read.fingerprints;
      segments = nextSegments;
      log.info({ file, revision: read.revision }, "rules read");
    } finally {
      await handle.close();
    }
  };
  const reload = async (): Promise<void> => {
    try {
      await load();
    } catch (error) {
      const problem = `${file}: ${messageOf(error)}`;
      if (rules.reject(problem)) log.error({ problem }, "rules refused, the last good ones stay");
      // A file that went away and comes back as it was is taken again, which ends the problem.
      if (!(error instanceof RulesTextError)) seen = undefined;
    }
  };
  const changed = oneAtATime(reload);
  await load().catch((cause: unknown) => {
    throw new UsageError(`${file}: ${messageOf(cause)}; write one with \`serin rules -f ROLLOUT\``, { cause });
  });
  const watcher = watchDirectory(file, changed, log);
  const poll = async (): Promise<void> => {
    const stamp = await stampOf(file).catch(() => undefined);
    if (stamp === undefined || stamp !== seen) changed();
  };
  const timer = setInterval(() => void poll(), POLL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    watcher?.close();
  };
}

/** Segments of the file as they are in force. */
interface FileSegments {
  readonly fingerprints: ReadonlyMap<string, string>;
  readonly inForce: Segments;
}

/** What did not change stays the same object; all of it where nothing did. */
function segmentsAfter(before: FileSegments, { fingerprints, changed }: Entries<CompiledSegment>): FileSegments {
  if (changed.size === 0 && fingerprints.size === before.fingerprints.size) return before;
  const inForce = new Map<string, CompiledSegment>();
  for (const name of fingerprints.keys()) {
    const segment = changed.get(name) ?? before.inForce.get(name);
    if (segment !== undefined) inForce.set(name, segment);
  }
  return { fingerprints, inForce };
}

async function stampOf(file: string): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = await stat(file);
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
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
