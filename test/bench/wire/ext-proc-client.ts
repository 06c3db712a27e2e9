import { join } from "node:path";
import { type Client, credentials, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { z } from "zod";
import { packageRoot } from "../../../src/io/package-root.ts";
import type { PlainRequest } from "../../support/decide-inputs.ts";

/** An answer to request headers, as plain values. */
export interface Answer {
  /** Fields of the namespace `serin`. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Headers that are set, by name. */
  readonly tags: Readonly<Record<string, unknown>>;
  readonly clearsRouteCache: boolean;
}

const AT_A_TIME = 50;
const DEADLINE_MS = 30_000;

/** Asks a server about each request on a stream of its own, as Envoy does; answers in the order of the requests. */
export async function askAll(address: string, requests: readonly PlainRequest[]): Promise<Answer[]> {
  const files = ["envoy/service/ext_proc/v3/external_processor.proto"];
  const options = { includeDirs: [join(packageRoot(), "proto")], longs: Number, enums: String, oneofs: true };
  let at: unknown = loadPackageDefinition(loadSync(files, options));
  for (const part of "envoy.service.ext_proc.v3.ExternalProcessor".split(".")) at = Object(at)[part];
  // loadPackageDefinition gives a constructor at this path.
  const client = new (at as ServiceClientConstructor)(address, credentials.createInsecure());
  try {
    const answers: Answer[] = [];
    for (let from = 0; from < requests.length; from += AT_A_TIME) {
      answers.push(...(await Promise.all(requests.slice(from, from + AT_A_TIME).map((request) => ask(client, request)))));
    }
    return answers;
  } finally {
    client.close();
  }
}

function ask(client: Client, request: PlainRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = Object(client).Process({ deadline: Date.now() + DEADLINE_MS });
    const heard: unknown[] = [];
    stream.on("data", (message: unknown) => heard.push(message));
    stream.on("error", reject);
    stream.on("end", () =>
      heard.length === 1 ? resolve(answerOf(heard[0])) : reject(new Error(`${heard.length} answers to one message`)),
    );
    stream.end(messageOf(request));
  });
}

/** Header names may repeat, so they stay a list. */
function messageOf({ host, path, headers = [] }: PlainRequest): object {
  const all = [[":authority", host ?? ""], [":path", path ?? "/"], [":method", "GET"], ...headers];
  return { requestHeaders: { headers: { headers: all.map(([key, value]) => ({ key, rawValue: Buffer.from(value ?? "") })) } } };
}

const ResponseSchema = z.looseObject({
  requestHeaders: z.looseObject({
    response: z.looseObject({
      clearRouteCache: z.boolean(),
      headerMutation: z.looseObject({
        setHeaders: z.array(z.looseObject({ header: z.looseObject({ key: z.string(), rawValue: z.instanceof(Uint8Array) }) })).default([]),
      }),
    }),
  }),
  dynamicMetadata: z.looseObject({ fields: z.looseObject({ serin: z.looseObject({ structValue: z.unknown() }) }) }),
});

function answerOf(message: unknown): Answer {
  const { requestHeaders, dynamicMetadata } = ResponseSchema.parse(message);
  const { clearRouteCache, headerMutation } = requestHeaders.response;
  return {
    metadata: Object(plain({ structValue: dynamicMetadata.fields.serin.structValue })),
    tags: Object.fromEntries(headerMutation.setHeaders.map(({ header }) => [header.key, Buffer.from(header.rawValue).toString()])),
    clearsRouteCache: clearRouteCache,
  };
}

/** A `google.protobuf.Value` as the value that it holds. */
function plain(value: unknown): unknown {
  const { structValue, listValue, ...scalars } = Object(value);
  if (structValue !== undefined) {
    const fields: Readonly<Record<string, unknown>> = structValue.fields ?? {};
    return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, plain(field)]));
  }
  if (listValue !== undefined) return (listValue.values ?? []).map(plain);
  return Object.entries(scalars).find(([name]) => name.endsWith("Value"))?.[1];
}
