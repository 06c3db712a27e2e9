import { z } from "zod";
import { ACTION_NAMES, ACTIONS } from "../src/contract/actions.ts";
import { EXIT_MEANING } from "../src/contract/exit-codes.ts";
import { AuditSchema } from "../src/contract/messages.ts";
import { STREAMS, SUBJECTS } from "../src/contract/names.ts";
import { NotificationsSchema } from "../src/contract/notifications.ts";
import { PolicySchema } from "../src/contract/policy.ts";
import { RAMP_PRESETS } from "../src/contract/ramp.ts";
import { RolloutSchema } from "../src/contract/rollout.ts";
import { SegmentSchema } from "../src/contract/segments.ts";
import { PRESETS } from "../src/contract/stages.ts";
import { RecordedTickSchema, TickSchema, TickStartSchema } from "../src/contract/ticks.ts";
import { openApiDocument } from "../src/controller/api/openapi.ts";
import { cliPage } from "./cli-page.ts";
import { metricsPage } from "./metrics-page.ts";
import { page, table } from "./page.ts";

/** The generated pages: file name → text. */
export const referencePages = (): Readonly<Record<string, string>> => ({
  "cli.md": cliPage(),
  "rollout.md": rolloutPage(),
  "segment.md": segmentPage(),
  "policy.md": policyPage(),
  "metrics.md": metricsPage(),
  "exit-codes.md": exitCodesPage(),
  "nats.md": natsPage(),
  "ticks.md": ticksPage(),
  "actions.md": actionsPage(),
  "notifications.md": page(
    "Notifications",
    "Fields of `notifications` in the policy.",
    fieldTable(fieldRows(z.strictObject({ notifications: NotificationsSchema }))),
  ),
  "openapi.json": `${JSON.stringify(openApiDocument(), null, 2)}\n`,
});

interface Node {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly additionalProperties?: Node | boolean;
}

/** The fields of a document, as rows of a table. */
function fieldRows(schema: z.ZodType): string[][] {
  // The schema library's own form of JSON Schema; only the parts named above are read.
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Node;
  const all = fields(root, "");
  return distinct(all.map(({ field }) => field)).map((name) => {
    const rows = all.filter(({ field }) => field === name);
    const [forms, needs] = [distinct(rows.map((row) => row.form)), distinct(rows.map(({ needed }) => needed))];
    return [name, forms.join(" or "), needs.join(" or "), meaningOf(rows)];
  });
}

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];

/** The forms of a union repeat what they share; what they call by the same name may mean something else in each. */
function meaningOf(rows: readonly Row[]): string {
  const meanings = distinct(rows.map(({ meaning }) => meaning).filter((meaning) => meaning !== ""));
  const typesOf = (meaning: string): string[] => rows.flatMap((row) => (row.meaning === meaning && row.of !== "" ? [row.of] : []));
  return meanings
    .map((meaning) => (meanings.length === 1 ? meaning : [distinct(typesOf(meaning)).join(", "), meaning].filter(Boolean).join(": ")))
    .join(" · ");
}

const fieldTable = (rows: readonly (readonly string[])[]): string => table(["Field", "Form", "Needed", "Meaning"], rows);

const policyPage = (): string =>
  page(
    "Policy",
    "One document in YAML for the whole mesh, alone or beside rollouts, by `---`: [what it does](../policy.md).",
    fieldTable(fieldRows(PolicySchema)),
  );

/** A condition is told once, among the fields of a rollout. */
const withoutCondition = ([field = "", form = "", ...more]: readonly string[]): string[][] => {
  if (field.startsWith("`when.")) return [];
  return [
    [
      field,
      field === "`when`" ? "a condition, like `targets[].when` of a [rollout](rollout.md), but without users and segments" : form,
      ...more,
    ],
  ];
};

const segmentPage = (): string =>
  page(
    "Segment",
    "A document in YAML, alone or beside rollouts, by `---`. A request is in a segment when its bucketing key is listed, or when the condition holds. A rollout asks for it by `segment: NAME` in a target.",
    fieldTable(fieldRows(SegmentSchema).flatMap(withoutCondition)),
  );

function rolloutPage(): string {
  const presets = Object.entries(PRESETS).map(([name, stages]) => [
    `\`${name}\``,
    stages.map(({ share, minTime, minSample }) => `${share / 100} % for ${minTime / 1_000} s and ${minSample} outcomes`).join(", "),
  ]);
  const minutes = (ms: number): string => `${ms / 60_000}m`;
  const ramps = Object.entries(RAMP_PRESETS).map(([name, { budget, minTimeMs, maxTimeMs, holdback }]) => [
    `\`${name}\``,
    `${budget} failed requests`,
    minutes(minTimeMs),
    minutes(maxTimeMs),
    `${holdback.shareBp / 100}% for ${minutes(holdback.timeMs)}`,
  ]);
  return page(
    "Rollout",
    "A file in YAML, several by `---`. Shares are written `5%`, times `250ms`, `30s`, `10m`, `2h`, `7d`; a number without its unit is refused.",
    fieldTable(fieldRows(RolloutSchema)),
    "## Presets of stages",
    table(["`strategy.use`", "Stages"], presets),
    "## Presets of ramps",
    "`ramp: auto` is `standard`.",
    table(["`strategy.ramp.preset`", "`budget`", "`minTime`", "`maxTime`", "`holdback`"], ramps),
  );
}

/** A field, and which form of a union it is of, where that has a type. */
interface Row {
  readonly field: string;
  readonly form: string;
  readonly needed: string;
  readonly meaning: string;
  readonly of: string;
}

function fields(node: Node, path: string): Row[] {
  const of = String(node.properties?.["type"]?.const ?? "");
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const at = path === "" ? name : `${path}.${name}`;
    const isNeeded = node.required?.includes(name) === true;
    const row = { field: `\`${at}\``, form: form(child), needed: isNeeded ? "yes" : "no", meaning: child.description ?? "", of };
    return [row, ...below(child, at)];
  });
}

function below(node: Node, path: string): Row[] {
  if (node.anyOf !== undefined) return node.anyOf.flatMap((option) => below(option, path));
  if (node.items !== undefined) return below(node.items, `${path}[]`);
  const { additionalProperties: named } = node;
  return [...fields(node, path), ...(typeof named === "object" ? below(named, `${path}.<name>`) : [])];
}

function form(node: Node): string {
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(form))].join(" or ");
  if (node.type === "array") return `list of ${form(node.items ?? {})}`;
  if (node.type === "object" && node.properties !== undefined)
    return Object.keys(node.properties)
      .map((key) => `\`${key}\``)
      .join(" + ");
  return (
    { object: "mapping", string: "text", integer: "whole number", number: "number", boolean: "true or false" }[node.type ?? ""] ?? "text"
  );
}

const exitCodesPage = (): string =>
  page(
    "Exit codes",
    table(
      ["Code", "Meaning"],
      Object.entries(EXIT_MEANING).map(([code, meaning]) => [code, meaning]),
    ),
  );

const actionsPage = (): string =>
  page(
    "Actions",
    "What `serin audit` prints, and what receivers of notifications may ask for as `events`.",
    table(
      ["Action", "Meaning", "Told where no events are named"],
      ACTION_NAMES.map((name) => [`\`${name}\``, ACTIONS[name].meaning, ACTIONS[name].isTold ? "yes" : "no"]),
    ),
    "## Fields of a line",
    fieldTable(fieldRows(AuditSchema)),
  );

const ticksPage = (): string =>
  page(
    "Ticks",
    "What `serin replay` reads on stdin: JSON lines, first this one:",
    fieldTable(fieldRows(TickStartSchema).filter(([field = ""]) => !field.startsWith("`history[]."))),
    "Then a tick a line; those of `history` have the same form without `canary`. Other fields are not read.",
    fieldTable(fieldRows(TickSchema)),
    `In NATS, the messages of \`${STREAMS.ticks}\`:`,
    fieldTable(fieldRows(RecordedTickSchema)),
  );

const natsPage = (): string =>
  page(
    "NATS",
    table(
      ["Stream", "Subjects", "Written by"],
      [
        [`\`${STREAMS.plans}\``, `\`${SUBJECTS.allPlans}\``, "the leading controller, on a validated `apply`"],
        [
          `\`${STREAMS.state}\``,
          `\`${SUBJECTS.allState}\`, each write repeated on \`${SUBJECTS.allPush}\``,
          "the leading controller, fenced by its lease",
        ],
        [`\`${STREAMS.audit}\``, `\`${SUBJECTS.allAudit}\``, "the leading controller, duplicates removed by message id"],
        [`\`${STREAMS.presence}\``, `\`${SUBJECTS.allPresence}\``, "sidecars, at their start and as their goodbye"],
        [`\`${STREAMS.kills}\``, `\`${SUBJECTS.allKills}\``, "operators, by `serin kill` and `serin abort --emergency`, signed"],
        [
          `\`${STREAMS.ticks}\``,
          `\`${SUBJECTS.allTicks}\``,
          "the leading controller: each judged batch, for `serin replay`; kept for 7 days, at most 256 MiB",
        ],
      ],
    ),
    table(
      ["Subject", "Carries", "Sent by"],
      [
        [`\`${SUBJECTS.command}\``, "commands, request and reply", "the command line"],
        [`\`${SUBJECTS.series}\``, "how the checks of a rollout went, request and reply", "controllers, for their page"],
        [`\`${SUBJECTS.allReceipts}\``, "which revision a sidecar obeys, and since when", "sidecars"],
        [`\`${SUBJECTS.allEvidence}\``, "OTLP metrics as JSON, cumulative", "sidecars"],
        [`\`${SUBJECTS.allFailing}\``, "users that failed, hashed, by run and variant; cumulative", "sidecars"],
        [
          `\`${SUBJECTS.allMix}\``,
          "users of rollouts that ask for their mix, hashed, with the values they bring; by run and variant",
          "sidecars",
        ],
        [
          `\`${SUBJECTS.allFeedback}\``,
          "what users say of a rollout, request and reply; keys hashed, but for those that applications send",
          "controllers, applications",
        ],
      ],
    ),
  );
