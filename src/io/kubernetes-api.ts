import { readFile } from "node:fs/promises";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";

/** Where the API is, and the folder of the account that a pod has: `token`, `ca.crt`, `namespace`; without one nobody logs in. */
export interface KubernetesPlace {
  readonly url: string;
  readonly account?: string | undefined;
}

/** An answer other than 2xx. */
export class KubernetesError extends Error {
  override readonly name = "KubernetesError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The plain API. Paths are those of its documentation, like `/api/v1/namespaces/shop/pods/a`; what is asked ends with the signal. */
export interface KubernetesApi {
  /** The answer's JSON. Throws KubernetesError. */
  get(path: string, signal: AbortSignal): Promise<unknown>;
  create(path: string, body: object, signal: AbortSignal): Promise<void>;
  /** Lines of a watch until the server ends it, each one JSON. `onOpen` hears when it is accepted. */
  watch(path: string, onOpen: () => void, signal: AbortSignal): AsyncIterable<string>;
}

/** Longest answer, and longest line of a watch, in characters: a page of 500 objects is shorter. */
const MAX_LENGTH = 32 * 1_024 * 1_024;

/** Speaks to the API of one cluster. The account is read anew for each request: its token is replaced while the pod runs. */
export function createKubernetesApi({ url, account }: KubernetesPlace): KubernetesApi {
  const read = (name: string): Promise<string> | undefined => (account === undefined ? undefined : readFile(join(account, name), "utf8"));
  const open = async (method: "GET" | "POST", path: string, body: string | undefined, signal: AbortSignal): Promise<IncomingMessage> => {
    const [token, ca] = await Promise.all([read("token"), read("ca.crt")]);
    const headers = {
      accept: "application/json",
      "user-agent": "serin",
      ...(body !== undefined && { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
      ...(token !== undefined && { authorization: `Bearer ${token.trim()}` }),
    };
    const target = new URL(url.replace(/\/+$/, "") + path);
    const options = { method, headers, signal, ...(ca !== undefined && { ca }) };
    const sent = target.protocol === "https:" ? httpsRequest(target, options) : httpRequest(target, options);
    sent.end(body);
    const response = await answerOf(sent);
    response.setEncoding("utf8");
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    throw new KubernetesError(statusCode, `Kubernetes answers ${statusCode}${saidIn(await textOf(response))}`);
  };
  return {
    async get(path, signal) {
      return JSON.parse(await textOf(await open("GET", path, undefined, signal)));
    },
    async create(path, body, signal) {
      await textOf(await open("POST", path, JSON.stringify(body), signal));
    },
    async *watch(path, onOpen, signal) {
      const response = await open("GET", path, undefined, signal);
      onOpen();
      let rest = "";
      for await (const chunk of response) {
        const lines = (rest + String(chunk)).split("\n");
        rest = lines.pop() ?? "";
        if (rest.length > MAX_LENGTH) throw new RangeError(`a line of the watch is longer than ${MAX_LENGTH} characters`);
        yield* lines.filter((line) => line !== "");
      }
    },
  };
}

const answerOf = (sent: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    sent.once("response", resolve);
    sent.on("error", reject);
  });

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > MAX_LENGTH) throw new RangeError(`the answer is longer than ${MAX_LENGTH} characters`);
  }
  return text;
}

/** The message of the `Status` that the API answers with, after a colon; nothing where it is none. */
function saidIn(text: string): string {
  try {
    const { message }: { message?: unknown } = Object(JSON.parse(text));
    return typeof message === "string" ? `: ${message}` : "";
  } catch {
    return ""; // A proxy's page.
  }
}
