import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import type { Echo } from "./echo-upstream.ts";

/** Sends a request to an Envoy and tells what its upstream got; `ca` among the options means TLS. Throws when no upstream answered. */
export async function askEcho(port: number, { body, ...options }: RequestOptions & { readonly body?: string }): Promise<Echo> {
  const send = options.ca === undefined ? httpRequest : httpsRequest;
  const sent = send({ port, host: "127.0.0.1", agent: false, ...options }).end(body);
  const [response] = await once(sent, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
  return JSON.parse(Buffer.concat(chunks).toString("utf8")) as Echo; // the echo upstream wrote it
}

/** The headers of Serin that an upstream got. */
export const serinHeaders = ({ headers }: Pick<Echo, "headers">): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("x-serin-")));
