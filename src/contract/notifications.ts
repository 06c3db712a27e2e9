import * as z from "zod";
import { ACTION_NAMES, TOLD_ACTIONS } from "./actions.ts";
import { NAME_PATTERN, NameSchema } from "./name-schema.ts";
import { addressLike, durationWithin } from "./webhooks.ts";

/** What a template may say in double braces. */
export const TEMPLATE_FACTS = ["rollout", "event", "stage", "share", "reason", "evidence", "who", "link", "time", "id", "text"] as const;

export type TemplateFact = (typeof TEMPLATE_FACTS)[number];

/** How values get into a template, by what the body is: none of them can end the text that it stands in. */
const TEMPLATE_TYPES = ["application/json", "text/plain", "application/x-www-form-urlencoded"] as const;

const MAX_RECEIVERS = 20;

/** `{{rollout}}`, with blanks allowed inside. */
export const PLACEHOLDER = /\{\{\s*(?<fact>[^{}]*?)\s*\}\}/g;

const SecretNameSchema = NameSchema.describe("Name of a file in the controller's `--notify-secrets`.");

const addressed = (example: string) => ({
  url: addressLike(example).optional().describe("Where messages are sent by POST."),
  urlFrom: SecretNameSchema.optional().describe(
    "In place of `url`, where the address itself is a secret: name of the file in the controller's `--notify-secrets` that holds it.",
  ),
});

const authorizationFrom = SecretNameSchema.optional().describe(
  "Name of the file in the controller's `--notify-secrets` whose text is sent as header `authorization`, like `Bearer …`.",
);

const secret = SecretNameSchema.optional().describe(
  "Name of the file in the controller's `--notify-secrets` whose text is the key that signs each message, as webhooks of checks are signed.",
);

const WebhookSchema = z.strictObject({ ...addressed("https://hooks.example/serin"), secret, authorizationFrom });

const SlackSchema = z.strictObject(addressed("https://chat.example/hooks/abc"));

const TemplateSchema = z
  .strictObject({
    ...addressed("https://api.example/messages"),
    secret,
    authorizationFrom,
    contentType: z.enum(TEMPLATE_TYPES).default("application/json").describe("What the body is; values are escaped for it."),
    body: z
      .string()
      .min(1)
      .max(8_192)
      .describe(`The body, with ${TEMPLATE_FACTS.map((fact) => `\`{{${fact}}}\``).join(", ")} inside its texts.`),
  })
  .superRefine(({ body, contentType }, context) => {
    const facts = [...body.matchAll(PLACEHOLDER)].map(({ groups }) => groups?.["fact"] ?? "");
    const strange = facts.find((fact) => !TEMPLATE_FACTS.some((known) => known === fact));
    const refuse = (message: string): void => context.addIssue({ code: "custom", path: ["body"], input: body, message });
    if (strange !== undefined) return refuse(`{{${strange}}} is nothing that can be told; known are ${TEMPLATE_FACTS.join(", ")}`);
    if (contentType === "application/json" && !isJson(body.replaceAll(PLACEHOLDER, "x")))
      refuse('the body is not JSON; write placeholders inside texts, like {"text": "{{text}}"}, or another contentType');
  });

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const common = {
  name: NameSchema.describe("Name of the receiver; what it was told is remembered under it."),
  events: z
    .array(z.enum(ACTION_NAMES))
    .min(1)
    .default([...TOLD_ACTIONS])
    .describe(`What it is told of, as the audit calls it; ${TOLD_ACTIONS.join(", ")} when absent.`),
  rollouts: z
    .array(
      z
        .string()
        .max(63)
        .refine(
          (text) => text === "*" || NAME_PATTERN.test(text.replace(/\*$/, "a")),
          "not a name; write one, or the beginning of some, like shop-*",
        ),
    )
    .min(1)
    .default(["*"])
    .describe("Rollouts that it is told of, by name or by how names begin, like `shop-*`; all when absent."),
  timeout: durationWithin("100ms", "30s").default(10_000).describe("Longest wait for an answer. 10s when absent."),
  retryFor: durationWithin("0s", "1d")
    .default(3_600_000)
    .describe("How old a message may become before it is given up; tried once at least. 1h when absent."),
};

const one = (address: { url?: string | undefined; urlFrom?: string | undefined }): boolean =>
  (address.url === undefined) !== (address.urlFrom === undefined);
const ONE = "needs one address; write url or urlFrom";

const ReceiverSchema = z.union([
  z.strictObject({ ...common, webhook: WebhookSchema.refine(one, ONE).describe("A CloudEvent 1.0, structured, in JSON.") }),
  z.strictObject({
    ...common,
    slack: SlackSchema.refine(one, ONE).describe("A message for Slack's incoming webhooks, and others that take the same."),
  }),
  z.strictObject({ ...common, template: TemplateSchema.refine(one, ONE).describe("A body of your own.") }),
]);

/** Who is told of changes; a part of the document `Policy`. */
export const NotificationsSchema = z
  .array(ReceiverSchema)
  .max(MAX_RECEIVERS)
  .superRefine((receivers, context) => {
    for (const [index, { name }] of receivers.entries()) {
      if (receivers.findIndex((other) => other.name === name) === index) continue;
      context.addIssue({
        code: "custom",
        path: [index, "name"],
        input: name,
        message: `"${name}" stands here already; give each receiver its own name`,
      });
    }
  })
  .describe("Who is told of changes, each in a form of its own.");

export type Notifications = z.infer<typeof NotificationsSchema>;
export type Receiver = Notifications[number];
