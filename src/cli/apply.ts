import { readFile } from "node:fs/promises";
import { DocumentError, type Fault, UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { Reply } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import { hashUsers } from "../core/decide/rollout-rules.ts";
import { type RolloutDocument, readRollouts } from "../io/documents.ts";
import { sendCommand } from "../io/store.ts";
import { withNats } from "./connection.ts";
import type { CliParts } from "./parts.ts";
import { exitOf, printReply } from "./verbs.ts";
import { watchUntil } from "./watch.ts";

export interface ApplyFlags {
  readonly file: readonly string[];
  readonly nats: string;
  readonly wait?: boolean;
  readonly timeout?: number;
  readonly dryRun?: boolean;
  readonly reason?: string;
  readonly json?: boolean;
}

const COMMAND_MS = 5_000;

/** Checks all files, then hands each rollout to the leader; nothing is sent when one file has a fault. */
export async function apply(flags: ApplyFlags, parts: CliParts): Promise<ExitCode> {
  const documents = await readDocuments(flags.file);
  if (flags.dryRun === true) {
    const names = documents.map(({ rollout }) => rollout.name);
    parts.out(
      flags.json === true ? `${JSON.stringify({ valid: names })}\n` : names.map((name) => `${name}: valid, nothing sent\n`).join(""),
    );
    return EXIT.done;
  }
  return withNats(flags.nats, async (link) => {
    const replies: Reply[] = [];
    for (const { rollout, written } of documents) {
      const command = {
        format: FORMAT,
        id: parts.newId(),
        verb: "apply",
        rollout: rollout.name,
        document: hashUsers(written),
        who: { name: parts.user, claimed: true },
        ...(flags.reason === undefined ? {} : { reason: flags.reason }),
      } as const;
      const reply = await sendCommand(link, command, COMMAND_MS);
      printReply(rollout.name, reply, flags, parts);
      replies.push(reply);
    }
    const worst = replies.map(exitOf).find((code) => code !== EXIT.done);
    if (worst !== undefined || flags.wait !== true) return worst ?? EXIT.done;
    for (const { rollout } of documents) {
      const code = await watchUntil(
        link,
        { name: rollout.name, until: "promoted", timeoutMs: flags.timeout, json: flags.json === true },
        parts,
      );
      if (code !== EXIT.done) return code;
    }
    return EXIT.done;
  });
}

/** Reads and checks all files together. Throws DocumentError with the faults of all of them. */
export async function readDocuments(files: readonly string[]): Promise<RolloutDocument[]> {
  if (files.length === 0) throw new UsageError("no file given; name one by -f FILE");
  const documents: RolloutDocument[] = [];
  const faults: Fault[] = [];
  for (const file of files) {
    try {
      documents.push(...readRollouts(await readText(file), file));
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      faults.push(...error.faults);
    }
  }
  if (faults.length > 0) throw new DocumentError(faults);
  return documents;
}

/** The text of a user's file. Throws UsageError when it cannot be read. */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(
      `${file} cannot be read (${cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"}); name a file that exists`,
      { cause },
    );
  }
}
