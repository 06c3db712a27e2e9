import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { KillOrder } from "../contract/kills.ts";
import type { Reply } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import { templateIn } from "../contract/templates.ts";
import { hashUsers } from "../core/decide/rollout-rules.ts";
import type { Documents, RolloutDocument } from "../io/documents.ts";
import { readOrders } from "../io/kill-store.ts";
import type { NatsLink } from "../io/nats.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { inOrder } from "../told/apply-order.ts";
import { orderOn, switchedOffText } from "../told/order-text.ts";
import type { CutSegment } from "../told/segment-cut.ts";
import { applySegment } from "./apply-segment.ts";
import { withNats } from "./connection.ts";
import { readFiles } from "./documents.ts";
import type { CliParts } from "./parts.ts";
import { rolloutLines } from "./rollout-text.ts";
import { cutSegment } from "./segment-users.ts";
import { exitOf, printReply, send } from "./verbs.ts";
import { watchUntil } from "./watch.ts";

export interface ApplyFlags extends NatsFlags {
  readonly file: readonly string[];
  readonly wait?: boolean;
  readonly timeout?: number;
  readonly dryRun?: boolean;
  readonly reason?: string;
  readonly json?: boolean;
}

/** Checks all files, then hands each document to the leader: the policy and segments before the rollouts that may ask for them, and of these the first the ones that others come after; nothing is sent when one file has a fault. */
export async function apply(flags: ApplyFlags, parts: CliParts): Promise<ExitCode> {
  const { rollouts: unordered, segments, policies, templates } = await readFiles(flags.file);
  const rollouts = inOrder(unordered);
  const cut: CutSegment[] = [];
  for (const segment of segments) cut.push(await cutSegment(segment));
  if (flags.dryRun === true) return sayValid({ policies, cut, rollouts, templates }, flags, parts);
  return withNats(flags, async (link) => {
    const replies: Reply[] = [];
    const take = (name: string, reply: Reply): void => {
      printReply(name, reply, flags, parts);
      replies.push(reply);
    };
    for (const policy of policies) take("policy", await sendDocument(policy, { link, flags, parts }));
    for (const template of templates) take(`template ${template.name}`, await sendDocument(template, { link, flags, parts }));
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

type Read = Pick<Documents, "policies" | "rollouts" | "templates"> & Readonly<{ cut: readonly CutSegment[] }>;

function sayValid({ policies, cut, rollouts, templates }: Read, flags: ApplyFlags, parts: CliParts): ExitCode {
  const names = rollouts.map(({ rollout }) => rollout.name);
  const segments = cut.map(({ plan }) => ({ name: plan.name, users: plan.users }));
  if (flags.json === true) {
    const more = templates.length === 0 ? {} : { templates: templates.map(({ name }) => name) };
    parts.out(
      `${JSON.stringify({ valid: names, ...(segments.length === 0 ? {} : { segments }), ...(policies.length === 0 ? {} : { policy: true }), ...more })}\n`,
    );
    return EXIT.done;
  }
  if (policies.length > 0) parts.out("policy: valid, nothing sent\n");
  for (const { name, users } of segments) parts.out(`segment ${name}: valid with ${usersText(users)}, nothing sent\n`);
  for (const { name } of templates) parts.out(`template ${name}: valid, nothing sent\n`);
  for (const { rollout, written } of rollouts)
    parts.out(`${rollout.name}: valid, nothing sent\n${rolloutLines(rollout, templateIn(written)).join("\n")}\n`);
  return EXIT.done;
}

const usersText = (users: number): string => (users === 1 ? "1 user" : `${users} users`);

interface Applying {
  readonly link: NatsLink;
  readonly flags: ApplyFlags;
  readonly parts: CliParts;
}

function sendDocument(document: unknown, { link, flags: { reason }, parts }: Applying, rollout?: string): Promise<Reply> {
  const command = {
    format: FORMAT,
    id: parts.newId(),
    verb: "apply",
    ...(rollout === undefined ? {} : { rollout }),
    document,
    who: { name: parts.user, claimed: true },
    ...(reason === undefined ? {} : { reason }),
  } as const;
  return send(link, command, parts);
}

function applyRollout(
  { rollout, written }: RolloutDocument,
  { inForce, ...applying }: Applying & Readonly<{ inForce: readonly KillOrder[] }>,
): Promise<Reply> {
  const order = orderOn(inForce, rollout.name);
  if (order !== undefined)
    return Promise.resolve({ format: FORMAT, id: applying.parts.newId(), result: "refused", message: switchedOffText(order) });
  return sendDocument(hashUsers(written), applying, rollout.name);
}
