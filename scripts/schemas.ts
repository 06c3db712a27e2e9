import { z } from "zod";
import { PolicySchema } from "../src/contract/policy.ts";
import { RolloutSchema } from "../src/contract/rollout.ts";
import { SegmentSchema } from "../src/contract/segments.ts";
import { TemplateSchema } from "../src/contract/templates.ts";

/** What people write in YAML: kind → schema. */
const DOCUMENTS = { Rollout: RolloutSchema, Segment: SegmentSchema, Template: TemplateSchema, Policy: PolicySchema } as const;

/** JSON Schemas for editors: path → text. A file may hold documents of several kinds, so the first tells them apart by `kind`. */
export const schemaFiles = (): Readonly<Record<string, string>> => ({
  "schemas/serin.json": written({
    $schema: DRAFT,
    title: "Serin",
    description: "A rollout, a segment, a template or the policy.",
    type: "object",
    required: ["apiVersion", "kind"],
    properties: { apiVersion: { const: "serin/v1" }, kind: { enum: Object.keys(DOCUMENTS) } },
    allOf: Object.keys(DOCUMENTS).map((kind) => ({
      if: { properties: { apiVersion: { const: "serin/v1" }, kind: { const: kind } }, required: ["kind"] },
      then: { $ref: fileOf(kind) },
    })),
  }),
  ...Object.fromEntries(
    Object.entries(DOCUMENTS).map(([kind, schema]) => [
      `schemas/${fileOf(kind)}`,
      written({ ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any", reused: "ref" }), $schema: DRAFT, title: kind }),
    ]),
  ),
});

const DRAFT = "https://json-schema.org/draft/2020-12/schema";

const fileOf = (kind: string): string => `${kind.toLowerCase()}.json`;

const written = (schema: object): string => `${JSON.stringify(schema, null, 2)}\n`;
