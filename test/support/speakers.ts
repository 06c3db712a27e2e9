import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect as connectHttp2, constants } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { Variant } from "./edge-upstreams.ts";

/** A request through Envoy. */
export interface Wanted {
  /** Port of Envoy. */
  readonly port: number;
  readonly variant: Variant;
  /** Method and path by HTTP, like `POST /fail/canary`; for gRPC the method and who, like `Fail canary`. */
  readonly what: string;
  readonly host?: string;
  /** More headers, by HTTP/2 and for a WebSocket. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What its user got. */
export interface Got {
  readonly isGood: boolean;
  /** The upstream that answered; empty when Envoy did. */
  readonly by: string;
}

/** One protocol. `leave` sends a request, and goes without waiting for the answer when `when` resolves. */
export interface Speaker {
  readonly title: string;
  ask(wanted: Wanted): Promise<Got>;
  leave(wanted: Wanted, when: () => Promise<unknown>): Promise<void>;
}

const HOST = "shop.example";

/** The test's own header, by which a rollout's target sends its users to the canary. */
const wantOf = (variant: Variant): Record<string, string> => (variant === "canary" ? { "x-want": "canary" } : {});

const split = (what: string): [string, string] => {
  const [first = "", second = ""] = what.split(" ");
  return [first, second];
};

function sendHttp1({ port, variant, what, host = HOST }: Wanted) {
  const [method, path] = split(what);
  return httpRequest({ port, host: "127.0.0.1", method, path, agent: false, headers: { host, ...wantOf(variant) } }).end();
}

export const http1: Speaker = {
  title: "HTTP/1.1",
  async ask(wanted) {
    const [response] = await once(sendHttp1(wanted), "response");
    response.resume();
    await once(response, "end");
    return { isGood: response.statusCode === 200, by: response.headers["x-answered-by"] ?? "" };
  },
  async leave(wanted, when) {
    const request = sendHttp1(wanted);
    // It is this side that ends the connection.
    request.on("error", () => undefined);
    await when();
    request.destroy();
  },
};

async function withHttp2<Result>(
  { port, variant, what, host = HOST, headers = {} }: Wanted,
  use: (stream: ReturnType<ReturnType<typeof connectHttp2>["request"]>) => Promise<Result>,
): Promise<Result> {
  const [method, path] = split(what);
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  try {
    return await use(
      session.request({ ":method": method, ":path": path, ":authority": host, ...wantOf(variant), ...headers }, { endStream: true }),
    );
  } finally {
    session.destroy();
  }
}

export const http2: Speaker = {
  title: "HTTP/2",
  ask: (wanted) =>
    withHttp2(wanted, async (stream) => {
      const [headers] = await once(stream, "response");
      stream.resume();
      await once(stream, "end");
      return { isGood: headers[":status"] === 200, by: headers["x-answered-by"] ?? "" };
    }),
  leave: (wanted, when) =>
    withHttp2(wanted, async (stream) => {
      await when();
      stream.close(constants.NGHTTP2_CANCEL);
      await once(stream, "close");
    }),
};

const asIs = (bytes: Buffer): Buffer => bytes;

function callGrpc({ port, variant, what, host = HOST }: Wanted) {
  const [method, who] = split(what);
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { "grpc.default_authority": host });
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(wantOf(variant))) metadata.set(name, value);
  let tell = (_got: Got): void => undefined;
  const got = new Promise<Got>((resolve) => (tell = resolve));
  const call = client.makeUnaryRequest(`/edge/${method}`, asIs, asIs, Buffer.from(who), metadata, (error, answer) => {
    client.close();
    tell({ isGood: error === null, by: String(answer ?? "") });
  });
  return { call, got };
}

export const grpc: Speaker = {
  title: "gRPC",
  ask: (wanted) => callGrpc(wanted).got,
  async leave(wanted, when) {
    const { call, got } = callGrpc(wanted);
    await when();
    call.cancel();
    await got;
  },
};

/** A WebSocket whose handshake has been answered, well or not. */
export interface OpenSocket extends Got {
  /** Status line and headers of the answer. */
  readonly head: string;
  /** Sends bytes, which stand for a message, and gives the next that come back. */
  echo(text: string): Promise<string>;
  /** Ends this side; resolves when the other has ended too. */
  close(): Promise<void>;
  /** Resolves when the other side has ended. */
  readonly closed: Promise<unknown>;
}

/** A handshake is enough: Envoy looks at nothing after it, so what follows are plain bytes. */
export async function openWebSocket(wanted: Wanted): Promise<OpenSocket> {
  const socket = shake(wanted);
  const closed = once(socket, "close");
  const next = async (): Promise<string> => String((await once(socket, "data"))[0]);
  const head = await next();
  return {
    head,
    isGood: head.startsWith("HTTP/1.1 101 "),
    by: /^x-answered-by: (\w+)/m.exec(head)?.[1] ?? "",
    async echo(text) {
      const answer = next();
      socket.write(text);
      return answer;
    },
    async close() {
      socket.end();
      await closed;
    },
    closed,
  };
}

function shake({ port, variant, what, host = HOST, headers = {} }: Wanted): Socket {
  const [method, path] = split(what);
  const fields = { host, ...wantOf(variant), ...headers, connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
  const lines = Object.entries({ ...fields, "sec-websocket-key": "c2VyaW4tc2VyaW4tc2VyaW4=" }).map(([name, value]) => `${name}: ${value}`);
  const socket = connectTcp(port, "127.0.0.1");
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  return socket;
}

export const webSocket: Speaker = {
  title: "WebSocket",
  async ask(wanted) {
    const opened = await openWebSocket(wanted);
    if (opened.isGood) await opened.echo("bye");
    await opened.close();
    return { isGood: opened.isGood, by: opened.by };
  },
  async leave(wanted, when) {
    const socket = shake(wanted);
    await when();
    socket.destroy();
  },
};
