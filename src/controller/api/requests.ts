import type { IncomingMessage } from "node:http";
import { API_ROUTES, type ApiRoute, PATH_PARTS } from "../../contract/api.ts";
import { findings } from "../../io/schema-findings.ts";
import { ProblemError } from "./answers.ts";

/** A request that belongs to one of the routes. */
export interface Routed {
  readonly route: ApiRoute;
  readonly parts: Readonly<Partial<Record<keyof typeof PATH_PARTS, string>>>;
  readonly query: Readonly<Record<string, unknown>>;
}

const partNames = Object.keys(PATH_PARTS) as (keyof typeof PATH_PARTS)[]; // Its own keys, which are these.

/** Finds the route. Throws ProblemError where there is none, and where parts or query make no sense. */
export function routed({ method = "", url = "" }: Pick<IncomingMessage, "method" | "url">): Routed {
  const [path = "", query = ""] = url.split("?", 2);
  const found = API_ROUTES.flatMap((route) => {
    const parts = partsOf(route.path, path);
    return parts === undefined ? [] : [{ route, parts }];
  });
  if (found.length === 0) throw new ProblemError(404, "there is nothing here; GET /v1/openapi.json tells what there is");
  const match = found.find(({ route }) => route.method === method);
  if (match === undefined) {
    const allow = found.map(({ route }) => route.method).join(", ");
    throw new ProblemError(405, `${path} takes ${allow}`, { headers: { allow } });
  }
  for (const name of partNames) {
    const part = match.parts[name];
    if (part !== undefined && !PATH_PARTS[name].safeParse(part).success) throw new ProblemError(404, `there can be no ${name} like that`);
  }
  return { ...match, query: queryOf(match.route, new URLSearchParams(query)) };
}

function partsOf(template: string, path: string): Routed["parts"] | undefined {
  const [wanted, given] = [template.split("/"), path.split("/")];
  if (wanted.length !== given.length) return undefined;
  const parts: Partial<Record<keyof typeof PATH_PARTS, string>> = {};
  for (const [index, part] of wanted.entries()) {
    const name = partNames.find((known) => part === `{${known}}`);
    const text = given[index] ?? "";
    if (name !== undefined) parts[name] = text;
    else if (part !== text) return undefined;
  }
  return parts;
}

function queryOf({ query }: ApiRoute, given: URLSearchParams): Record<string, unknown> {
  const names = [...given.keys()];
  const known = Object.keys(query?.shape ?? {});
  const strange = names.find((name) => !known.includes(name));
  if (strange !== undefined)
    throw new ProblemError(400, `the query has an unknown ${JSON.stringify(strange)}; known are ${known.join(", ") || "none"}`);
  if (query === undefined) return {};
  const parsed = query.safeParse(Object.fromEntries(given), { reportInput: true });
  if (!parsed.success) throw new ProblemError(400, findingText(findings(parsed.error.issues, query)));
  return parsed.data;
}

const findingText = (found: ReturnType<typeof findings>): string =>
  found.map(({ path, problem, fix }) => `${path.join(".") || "the body"}: ${problem}; ${fix}`).join("\n");

/** Parses the body of a command as its route says; a text where that is what the route takes. Throws ProblemError. */
export function bodyOf({ body }: ApiRoute, text: string, type: string | undefined): unknown {
  if (body === undefined) return undefined;
  if (text === "" && !body.isNeeded) return {};
  const kind = (type ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (!body.types.includes(kind)) throw new ProblemError(415, `the body must be ${body.types.join(" or ")}; say so in content-type`);
  if (body.types.length > 1) return text;
  const parsed = body.schema.safeParse(jsonOf(text), { reportInput: true });
  if (!parsed.success) throw new ProblemError(400, findingText(findings(parsed.error.issues, body.schema)));
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProblemError(400, "the body is not JSON; send an object, or nothing");
  }
}
