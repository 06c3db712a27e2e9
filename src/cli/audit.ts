import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { type Audit, AuditSchema } from "../contract/messages.ts";
import { SUBJECTS } from "../contract/names.ts";
import { type NatsLink, subscribeSafely } from "../io/nats.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { auditLines, decodeStored } from "../io/store.ts";
import { share } from "../told/format.ts";
import { momentText, whoText } from "../told/who-text.ts";
import { withNats } from "./connection.ts";
import { type CliParts, stopped } from "./parts.ts";

export interface AuditFlags extends NatsFlags {
  /** Given a span or a moment; Unix milliseconds. */
  readonly since?: (nowMs: number) => number;
  readonly action?: readonly string[];
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** Prints the audit, oldest first, a line each; with `--follow` it goes on until the signal. */
export function audit(name: string | undefined, flags: AuditFlags, parts: CliParts): Promise<ExitCode> {
  const subject = name === undefined ? SUBJECTS.allAudit : SUBJECTS.audit(name);
  const sinceMs = flags.since?.(parts.nowMs()) ?? 0;
  const isAsked = ({ atMs, action }: Audit): boolean => atMs >= sinceMs && (flags.action?.includes(action) ?? true);
  const say = (line: Audit): void => {
    if (isAsked(line)) parts.out(flags.json === true ? `${JSON.stringify(line)}\n` : `${auditText(line)}\n`);
  };
  return withNats(flags, async (link) => {
    // Heard before the stream is read: nothing falls between.
    const follower = flags.follow === true ? follow(link, subject, parts) : undefined;
    const seen = new Set<string>();
    for await (const line of auditLines(link, subject)) {
      seen.add(line.id);
      say(line);
    }
    if (follower === undefined) return EXIT.done;
    follower.onLine((line) => {
      if (!seen.has(line.id)) say(line);
      seen.add(line.id);
    });
    await stopped(parts.signal);
    follower.stop();
    return EXIT.done;
  });
}

/** Keeps what comes until somebody takes it. */
function follow(link: NatsLink, subject: string, parts: CliParts) {
  const kept: Audit[] = [];
  let take = (line: Audit): void => void kept.push(line);
  const stop = subscribeSafely(
    link,
    subject,
    ({ subject: at, data }) => take(decodeStored(AuditSchema, { subject: at, sequence: 0, data })),
    (error) => parts.error(`${error instanceof Error ? error.message : String(error)}\n`),
  );
  return {
    stop,
    onLine(then: (line: Audit) => void): void {
      take = then;
      kept.forEach(then);
    },
  };
}

/** One line of the audit for people. */
export const auditText = ({ atMs, rollout, action, who, reason, run, shareBp }: Audit): string =>
  [
    `${momentText(atMs)} ${rollout ?? "mesh"}: ${action}`,
    ...(run === undefined ? [] : [`run ${run}`]),
    ...(shareBp === undefined ? [] : [share(shareBp)]),
    `by ${whoText(who)}${reason === undefined ? "" : `: ${reason}`}`,
  ].join(", ");
