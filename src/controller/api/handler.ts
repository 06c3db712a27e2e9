import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type ApiRoute, IDEMPOTENCY_HEADER } from "../../contract/api.ts";
import { VerbSchema } from "../../contract/messages.ts";
import { boundedText } from "../../io/bounded-body.ts";
import type { Logger } from "../../io/log.ts";
import type { TokenBook, TokenLine } from "../../io/tokens.ts";
import { denial } from "../senders.ts";
import { type Answer, answerTo, ownError, ProblemError, type StreamAnswer } from "./answers.ts";
import type { OperationPorts } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import { bodyOf, routed } from "./requests.ts";

const MAX_BYTES = 1_048_576;

export interface ApiParts {
  /** Undefined where nobody may do anything. */
  readonly tokens: TokenBook | undefined;
  readonly log: Logger;
  /** Undefined until NATS was reached. */
  ports(): OperationPorts | undefined;
}

/** Serves the HTTP API. There is no CORS: no page of another origin may ask. */
export function apiHandler(parts: ApiParts): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    void answer(request, parts)
      .catch((error: unknown) => {
        const known = answerTo(error);
        if (known === undefined) parts.log.error({ err: error, path: request.url?.split("?", 1)[0] }, "request failed");
        return known ?? ownError();
      })
      .then((answered) => {
        if ("stream" in answered) return answered.stream(response);
        const { status, body, headers = {} } = answered;
        const common = { "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff" };
        // What was not read to the end would stand before the next request.
        response.writeHead(status, { ...common, ...headers, ...(request.complete ? {} : { connection: "close" }) });
        response.end(`${JSON.stringify(body)}\n`);
      });
  };
}

async function answer(request: IncomingMessage, parts: ApiParts): Promise<Answer | StreamAnswer> {
  const found = routed(request);
  const { route } = found;
  const token = route.needs === null ? undefined : await tokenOf(request, route, parts.tokens);
  if (token !== undefined && route.needs === "decide") refuseViewers(token, route, found.query["dryRun"] === "true");
  const repeatKey = keyOf(request);
  const text = route.body === undefined ? "" : await boundedText(request, MAX_BYTES);
  if (text === undefined) throw new ProblemError(413, `the body is longer than ${MAX_BYTES} bytes; send less at a time`);
  const body = bodyOf(route, text, request.headers["content-type"]);
  const ports = parts.ports();
  const operation = OPERATIONS[route.id];
  if (operation === undefined) throw new TypeError(`no operation for the route ${route.id}`);
  if (ports === undefined) throw new ProblemError(503, "NATS does not answer yet; try again", { headers: { "retry-after": "5" } });
  return operation({ ...found, body, token, repeatKey }, ports);
}

/** Browsers ask people for a password, and a token is one: for looking only, since a browser sends it wherever a page of another origin points. */
const AUTHENTICATE = 'Bearer realm="serin", Basic realm="serin: the token as password"';

async function tokenOf(request: IncomingMessage, route: ApiRoute, tokens: TokenBook | undefined): Promise<TokenLine> {
  if (tokens === undefined) throw new ProblemError(403, "nobody may use this API; start controllers with --tokens FILE");
  const { authorization = "" } = request.headers;
  const given = bearerIn(authorization) ?? (route.method === "GET" ? passwordIn(authorization) : undefined);
  const token = given === undefined ? undefined : await tokens.find(given);
  if (token === undefined) {
    const detail = "no token that is known; send one that `serin token` made as authorization: Bearer TOKEN";
    throw new ProblemError(401, detail, { headers: { "www-authenticate": AUTHENTICATE } });
  }
  return token;
}

const bearerIn = (authorization: string): string | undefined => /^bearer (?<token>\S+)$/i.exec(authorization)?.groups?.["token"];

function passwordIn(authorization: string): string | undefined {
  const encoded = /^basic (?<pair>\S+)$/i.exec(authorization)?.groups?.["pair"];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  return pair.slice(pair.indexOf(":") + 1);
}

/** Whoever may only look hears so at once; the rest the leader knows. */
function refuseViewers(token: TokenLine, { id }: ApiRoute, dryRun: boolean): void {
  if (token.role !== "view") return;
  const denied = denial(token, { verb: VerbSchema.parse(id), dryRun, full: undefined });
  if (denied !== undefined) throw new ProblemError(403, denied);
}

function keyOf({ headers }: IncomingMessage): string {
  const given = headers[IDEMPOTENCY_HEADER];
  if (given === undefined) return randomUUID();
  if (typeof given !== "string" || given === "" || given.length > 200)
    throw new ProblemError(400, `${IDEMPOTENCY_HEADER}: not one value of 1 to 200 characters`);
  return given;
}
