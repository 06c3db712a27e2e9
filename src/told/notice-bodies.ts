import type { Audit } from "../contract/messages.ts";
import { PLACEHOLDER, type Receiver, TEMPLATE_FACTS, type TemplateFact } from "../contract/notifications.ts";
import { verdictIn } from "./history.ts";
import type { Notice } from "./notice.ts";

/** What is sent to a receiver. */
export interface NoticeBody {
  readonly contentType: string;
  readonly body: string;
}

/** A message in the form that its receiver asks for. */
export function bodyFor(receiver: Receiver, notice: Notice, line: Audit): NoticeBody {
  if ("webhook" in receiver)
    return { contentType: "application/cloudevents+json; charset=utf-8", body: JSON.stringify(cloudEvent(notice, line)) };
  if ("slack" in receiver) return { contentType: "application/json", body: JSON.stringify({ text: slackText(notice) }) };
  const { contentType, body } = receiver.template;
  return { contentType, body: filled(body, notice, ESCAPES[contentType]) };
}

/** A CloudEvent 1.0; `source` and `id` together are the change's own, however often it is sent. */
function cloudEvent(notice: Notice, { rollout, action, run, shareBp, attempt, before, detail, who }: Audit): object {
  const verdict = verdictIn(detail);
  const { text, stage, reason, link, evidence } = notice;
  return {
    specversion: "1.0",
    id: notice.id,
    source: rollout === undefined ? "/serin" : `/serin/rollouts/${rollout}`,
    type: `serin.${rollout === undefined ? "mesh" : "rollout"}.${action}`,
    ...(rollout !== undefined && { subject: rollout }),
    time: notice.time,
    datacontenttype: "application/json",
    data: {
      ...(rollout !== undefined && { rollout }),
      action,
      text,
      ...(stage !== "" && { stage }),
      ...(run !== undefined && { run }),
      ...(attempt !== undefined && { attempt }),
      ...(shareBp !== undefined && { shareBp }),
      ...(before !== undefined && { before }),
      ...(reason !== "" && { reason }),
      who,
      ...(link !== "" && { link }),
      ...(evidence !== "" && { evidence }),
      ...(verdict !== undefined && { verdict }),
    },
  };
}

/** Nothing that a reason holds can call a channel or become a link. */
const forSlack = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const slackText = ({ text, evidence, link, rollout }: Notice): string =>
  [
    forSlack(text),
    ...(evidence === "" ? [] : [forSlack(evidence)]),
    ...(link === "" ? [] : [`<${link}|${rollout === "" ? "status" : rollout}>`]),
  ].join("\n");

type ContentType = Extract<Receiver, { template: unknown }>["template"]["contentType"];

const ESCAPES: Readonly<Record<ContentType, (text: string) => string>> = {
  "application/json": (text) => JSON.stringify(text).slice(1, -1),
  "text/plain": (text) => text,
  "application/x-www-form-urlencoded": encodeURIComponent,
};

const isFact = (text: string): text is TemplateFact => TEMPLATE_FACTS.some((fact) => fact === text);

/** A template with its facts; each is escaped once and never read again. */
const filled = (template: string, notice: Notice, escape: (text: string) => string): string =>
  template.replace(PLACEHOLDER, (whole: string, fact: string) => (isFact(fact) ? escape(notice[fact]) : whole));
