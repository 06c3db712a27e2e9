import { createHash } from "node:crypto";
import { API_VERBS, AuditQuerySchema } from "../../contract/api.ts";
import { DocumentError } from "../../contract/errors.ts";
import type { Audit, Command, Reply } from "../../contract/messages.ts";
import { FORMAT, SUBJECTS } from "../../contract/names.ts";
import { durationMs } from "../../contract/quantities.ts";
import { hashUsers } from "../../core/decide/rollout-rules.ts";
import { readDocuments, type SegmentDocument } from "../../io/documents.ts";
import { readOrders } from "../../io/kill-store.ts";
import { auditLines, listAudit, readPlan, sendCommand } from "../../io/store.ts";
import { inOrder } from "../../told/apply-order.ts";
import { historyOf } from "../../told/history.ts";
import { orderOn, switchedOffText } from "../../told/order-text.ts";
import { LISTEN_MS, readPicture } from "../../told/picture.ts";
import { type CutSegment, cutTable, handOver, SegmentUsers } from "../../told/segment-cut.ts";
import { type Answer, type NamedReply, ok, ProblemError, repliesAnswer, replyAnswer } from "./answers.ts";
import { events, explain, series } from "./looking.ts";
import { openApiDocument } from "./openapi.ts";
import type { Asked, Operation, OperationPorts } from "./operation.ts";

const COMMAND_MS = 5_000;

/** What each operation of the contract does. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  openapi: async () => ok(openApiDocument()),
  status: async (_, ports) => ok(await picture(ports, undefined, LISTEN_MS)),
  rollouts: async (_, ports) => ok({ rollouts: (await picture(ports, undefined, 0)).rollouts }),
  async rollout({ parts: { name = "" } }, ports) {
    const [found] = (await picture(ports, name, 0)).rollouts;
    return found === undefined ? nothingNamed(name) : ok(found);
  },
  async plan({ parts: { name = "" } }, { link }) {
    const { document } = (await readPlan(link, name)) ?? {};
    return typeof document === "object" && document !== null ? ok(document) : nothingNamed(name);
  },
  async history({ parts: { name = "" } }, { link }) {
    const history = historyOf(name, await listAudit(link, name, Number.POSITIVE_INFINITY));
    return history.attempts.length === 0 ? nothingNamed(name) : ok(history);
  },
  audit: async (asked, ports) => ok({ lines: await audited(asked, ports) }),
  events,
  series,
  explain,
  apply,
  forget: (asked, ports) => commanded(asked, ports, { verb: "forget", sidecar: asked.parts.id ?? "" }),
  delete: (asked, ports) => commanded(asked, ports, { verb: "delete" }),
  freeze: (asked, ports) => commanded(asked, ports, { verb: "freeze" }),
  unfreeze: (asked, ports) => commanded(asked, ports, { verb: "unfreeze" }),
  ...Object.fromEntries(API_VERBS.map((verb): [string, Operation] => [verb, (asked, ports) => commanded(asked, ports, { verb })])),
};

function nothingNamed(name: string): never {
  throw new ProblemError(404, `there is no rollout ${name}; GET /v1/rollouts names those that there are`);
}

const picture = ({ link, clock }: OperationPorts, name: string | undefined, listenMs: number) =>
  readPicture(link, { name, nowMs: clock.nowMs, listenMs });

async function audited({ query }: Asked, { link, clock }: OperationPorts): Promise<Audit[]> {
  // As the route has checked it.
  const { rollout, since = "1970-01-01T00:00:00Z", action, limit } = AuditQuerySchema.parse(query);
  const span = durationMs(since);
  const sinceMs = span === undefined ? Date.parse(since) : clock.nowMs() - span;
  const lines: Audit[] = [];
  for await (const line of auditLines(link, rollout === undefined ? SUBJECTS.allAudit : SUBJECTS.audit(rollout))) {
    if (line.atMs < sinceMs || (action !== undefined && line.action !== action)) continue;
    lines.push(line);
    if (lines.length > limit) lines.shift();
  }
  return lines;
}

/** The same request of the same sender has the same id; of another one, or of another thing, another. */
const commandId = ({ token, route, parts, repeatKey }: Asked, part = ""): string =>
  createHash("sha256")
    .update(JSON.stringify([token?.name, route.id, parts, repeatKey, part]))
    .digest("hex")
    .slice(0, 40);

async function give(asked: Asked, { link, clock }: OperationPorts, command: Omit<Command, "format" | "who">): Promise<Reply> {
  const { token } = asked;
  const who = { name: token?.name ?? "nobody", claimed: true };
  const voucher = token === undefined ? undefined : { digest: token.digest, nowMs: clock.nowMs() };
  return sendCommand(link, { format: FORMAT, who, ...command }, COMMAND_MS, voucher);
}

async function commanded(asked: Asked, ports: OperationPorts, command: Pick<Command, "verb" | "sidecar">): Promise<Answer> {
  const { name } = asked.parts;
  // Checked against the route's schema, whose fields the command has too.
  const fields = asked.body as Pick<Command, "reason" | "full" | "variant" | "override" | "now" | "untilMs">;
  const reply = await give(asked, ports, { id: commandId(asked), ...command, ...fields, ...(name === undefined ? {} : { rollout: name }) });
  return replyAnswer(reply, name ?? command.sidecar ?? "mesh");
}

async function apply(asked: Asked, ports: OperationPorts): Promise<Answer> {
  const { dryRun, reason } = asked.query;
  const { rollouts, segments, policies, templates } = readDocuments(String(asked.body), "body");
  const cut = segments.map(cutDocument);
  const more = { ...(dryRun === "true" && { dryRun: true }), ...(typeof reason === "string" && { reason }) };
  const replies: NamedReply[] = [];
  const order = (part: string, command: Omit<Command, "id" | "format" | "who">): Promise<Reply> =>
    give(asked, ports, { id: commandId(asked, part), ...command, ...more });
  const send = async (name: string, command: Pick<Command, "rollout" | "document">): Promise<void> => {
    replies.push({ name, ...(await order(name, { verb: "apply", ...command })) });
  };
  for (const document of policies) await send("policy", { document });
  for (const document of templates) await send(`template ${document.name}`, { document });
  for (const segment of cut) {
    const name = `segment ${segment.plan.name}`;
    replies.push({ name, ...(await handOver(segment, (command) => order(`${name} ${command.chunk ?? ""}`, command))) });
  }
  const { inForce } = await readOrders(ports.link);
  for (const { rollout, written } of inOrder(rollouts)) {
    const { name } = rollout;
    const off = orderOn(inForce, name);
    if (off === undefined) await send(name, { rollout: name, document: hashUsers(written) });
    else replies.push({ name, format: FORMAT, id: commandId(asked, name), result: "refused", message: switchedOffText(off) });
  }
  return repliesAnswer(replies);
}

/** Users stand in the body: a file that it names would be one of this machine. */
function cutDocument({ segment, faultAt }: SegmentDocument): CutSegment {
  if (segment.usersFrom !== undefined)
    throw new DocumentError([
      faultAt(["usersFrom"], "there is no file beside a request", "list them under users, or hand it over by `serin apply -f FILE`"),
    ]);
  return cutTable(segment, new SegmentUsers(segment).table());
}
