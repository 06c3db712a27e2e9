import * as z from "zod";
import { API_ROUTES, type ApiRoute, IDEMPOTENCY_HEADER, PATH_PARTS, ProblemSchema } from "../../contract/api.ts";
import { HistorySchema } from "../../contract/history.ts";
import { AuditSchema, ReplySchema } from "../../contract/messages.ts";
import { PictureSchema, RolloutPictureSchema } from "../../contract/picture.ts";
import { ROLES } from "../../contract/roles.ts";
import { StreamEventSchema } from "../../contract/stream.ts";
import { VerdictRecordSchema } from "../../contract/verdict.ts";

/** Schemas that are named in the document, and referred to where they stand in others. */
const NAMED: Readonly<Record<string, z.ZodType>> = {
  Problem: ProblemSchema,
  Reply: ReplySchema,
  Audit: AuditSchema,
  History: HistorySchema,
  RolloutPicture: RolloutPictureSchema,
  Picture: PictureSchema,
  Verdict: VerdictRecordSchema,
  Event: StreamEventSchema,
};

/** What may go wrong anywhere, besides what the operation itself refuses. */
const PROBLEMS = {
  400: "The request makes no sense.",
  401: "No token that is known.",
  403: "The token does not allow it.",
  404: "There is nothing of that name.",
  409: "Refused as things stand, with the reason.",
  413: "The body is too long.",
  415: "A body of another type.",
  422: "A document with faults, each with its place.",
  500: "An error of Serin's own.",
  503: "Nobody leads, or NATS is away; try again.",
} as const;

/** The OpenAPI 3.1 document of the HTTP API, as the contract says it. */
export function openApiDocument(): object {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  const routes = API_ROUTES.map((route) => [route, `answer-${route.id}`] as const);
  for (const [{ answer }, id] of routes) if (!registry.has(answer)) registry.add(answer, { id });
  const { schemas } = withPlainRefs(
    z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, unrepresentable: "any", io: "output" }),
  );
  const paths: Record<string, Record<string, object>> = {};
  for (const [route] of routes) {
    const { path, method } = route;
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(route, registry.get(route.answer)?.id ?? "") };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Serin",
      version: "1",
      description: `The same picture and verbs as the command line. Roles of tokens: ${Object.entries(ROLES)
        .map(([role, may]) => `\`${role}\` ${may}`)
        .join("; ")}.`,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://127.0.0.1:9470" }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutIdentity(schema)])),
      securitySchemes: { token: { type: "http", scheme: "bearer", description: "A token that `serin token` made." } },
    },
  };
}

/** What several schemas share stands in a schema too, not in a document of its own. */
const withPlainRefs = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value).replaceAll("__shared#/$defs/", "__shared/$defs/"));

/** In one document neither its address nor its dialect is needed. */
const withoutIdentity = (schema: object): object =>
  Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$id" && key !== "$schema" && key !== "id"));

const inlineSchema = (schema: z.ZodType): Record<string, unknown> => ({
  ...withoutIdentity(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })),
});

const problemAnswer = (description: string): object => ({
  description,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});

function operationOf(route: ApiRoute, answerId: string): object {
  const { id, summary, needs, body } = route;
  const codes = Object.entries(PROBLEMS).filter(([code]) => body !== undefined || !["409", "413", "415", "422"].includes(code));
  const types = body?.types.map((type) => [type, { schema: inlineSchema(body.schema) }] as const) ?? [];
  return {
    operationId: id,
    summary,
    ...(needs === null ? { security: [] } : {}),
    parameters: parametersOf(route),
    ...(body === undefined ? {} : { requestBody: { required: body.isNeeded, content: Object.fromEntries(types) } }),
    responses: {
      200: {
        description: "Done.",
        content: {
          [route.isStream === true ? "text/event-stream" : "application/json"]: { schema: { $ref: `#/components/schemas/${answerId}` } },
        },
      },
      ...Object.fromEntries(codes.map(([code, description]) => [code, problemAnswer(description)])),
    },
  };
}

function parametersOf({ path, query, needs }: ApiRoute): object[] {
  const parts = Object.entries(PATH_PARTS)
    .filter(([name]) => path.includes(`{${name}}`))
    .map(([name, schema]) => ({ name, in: "path", required: true, schema: inlineSchema(schema) }));
  const { properties = {}, required = [] } = query === undefined ? {} : z.toJSONSchema(query, { io: "input", unrepresentable: "any" });
  const asked = Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: required.includes(name), schema }));
  const key = {
    name: IDEMPOTENCY_HEADER,
    in: "header",
    required: false,
    description: "A repeat with the same value gets the same answer, and is carried out once.",
    schema: { type: "string", minLength: 1, maxLength: 200 },
  };
  return [...parts, ...asked, ...(needs === "decide" ? [key] : [])];
}
