import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { KillOrder, KillScope } from "../contract/kills.ts";
import type { Command, Reply } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import { type TemplateInput, templateIn } from "../contract/templates.ts";
import { hashUsers } from "../core/decide/rollout-rules.ts";
import type { RolloutDocument } from "../io/documents.ts";
import { readOrders } from "../io/kill-store.ts";
import type { NatsLink } from "../io/nats.ts";
import { sendCommand } from "../io/store.ts";
import { applySegment } from "./apply-segment.ts";
import { withNats } from "./connection.ts";
import { readFiles } from "./documents.ts";
import { giverText } from "./order-text.ts";
import type { CliParts } from "./parts.ts";
import { rolloutLines } from "./rollout-text.ts";
import { type CutSegment, cutSegment } from "./segment-users.ts";
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

/** Checks all files, then hands each document to the leader, segments before the rollouts that may ask for them; nothing is sent when one file has a fault. */
export async function apply(flags: ApplyFlags, parts: CliParts): Promise<ExitCode> {
  const { rollouts, segments, templates } = await readFiles(flags.file);
  const cut: CutSegment[] = [];
  for (const segment of segments) cut.push(await cutSegment(segment));
  if (flags.dryRun === true) return sayValid({ cut, rollouts, templates }, flags, parts);
  return withNats(flags.nats, async (link) => {
    const replies: Reply[] = [];
    const take = (name: string, reply: Reply): void => {
      printReply(name, reply, flags, parts);
      replies.push(reply);
    };
    for (const template of templates) {
      const command = commandOf("apply", { document: template }, { flags, parts });
      take(`template ${template.name}`, await sendCommand(link, command, COMMAND_MS));
    }
    for (const segment of cut) take(`segment ${segment.plan.name}`, await applySegment(segment, { link, parts, reason: flags.reason }));
    const { inForce } = await readOrders(link);
    for (const document of rollouts) take(document.rollout.name, await applyRollout(document, { link, inForce, flags, parts }));
    const worst = replies.map(exitOf).find((code) => code !== EXIT.done);
    if (worst !== undefined || flags.wait !== true) return worst ?? EXIT.done;
    for (const { rollout } of rollouts) {
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

interface Checked {
  readonly cut: readonly CutSegment[];
  readonly rollouts: readonly RolloutDocument[];
  readonly templates: readonly TemplateInput[];
}

function sayValid({ cut, rollouts, templates }: Checked, flags: ApplyFlags, parts: CliParts): ExitCode {
  const names = rollouts.map(({ rollout }) => rollout.name);
  const segments = cut.map(({ plan }) => ({ name: plan.name, users: plan.users }));
  if (flags.json === true) {
    const more = templates.length === 0 ? {} : { templates: templates.map(({ name }) => name) };
    parts.out(`${JSON.stringify({ valid: names, ...(segments.length === 0 ? {} : { segments }), ...more })}\n`);
    return EXIT.done;
  }
  for (const { name, users } of segments) parts.out(`segment ${name}: valid with ${usersText(users)}, nothing sent\n`);
  for (const { name } of templates) parts.out(`template ${name}: valid, nothing sent\n`);
  for (const { rollout, written } of rollouts)
    parts.out(`${rollout.name}: valid, nothing sent\n${rolloutLines(rollout, templateIn(written)).join("\n")}\n`);
  return EXIT.done;
}

const usersText = (users: number): string => (users === 1 ? "1 user" : `${users} users`);

interface Applying {
  readonly link: NatsLink;
  readonly inForce: readonly KillOrder[];
  readonly flags: ApplyFlags;
  readonly parts: CliParts;
}

function applyRollout({ rollout, written }: RolloutDocument, { link, inForce, flags, parts }: Applying): Promise<Reply> {
  const command = commandOf("apply", { rollout: rollout.name, document: hashUsers(written) }, { flags, parts });
  const order = inForce.find(({ scope }) => isWhole(scope, rollout.name));
  return order === undefined ? sendCommand(link, command, COMMAND_MS) : Promise.resolve(switchedOff(command.id, order));
}

function commandOf(
  verb: "apply",
  about: Pick<Command, "rollout" | "document">,
  { flags: { reason }, parts }: Pick<Applying, "flags" | "parts">,
): Command {
  const who = { name: parts.user, claimed: true };
  return { format: FORMAT, id: parts.newId(), verb, ...about, who, ...(reason === undefined ? {} : { reason }) };
}

/** Everyone of the rollout is switched off: the controller would roll it back as soon as it began. */
const isWhole = (scope: KillScope, name: string): boolean =>
  scope.user === undefined && scope.segment === undefined && (scope.rollout ?? name) === name;

function switchedOff(id: string, order: KillOrder): Reply {
  const lift = `\`serin kill ${order.scope.rollout ?? "--all"} --lift\``;
  return { format: FORMAT, id, result: "refused", message: `switched off ${giverText(order)}; ${lift} first` };
}
